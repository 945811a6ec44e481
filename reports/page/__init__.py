"""The report as one self-contained page: `writing.write_page` puts it together from the sections beside it.

Every section module turns results into plain values; what is seen is in ``templates/``. The page asks for
nothing from outside: style and script stand in it, allowed by their hashes alone, and all text is escaped.
"""
