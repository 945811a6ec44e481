"""lmms-eval tasks of the stroke-rehabilitation suite: activities, primitives, counting, Fugl-Meyer items."""
