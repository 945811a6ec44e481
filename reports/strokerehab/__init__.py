"""Tables and figures of runs of the stroke-rehabilitation tasks."""
