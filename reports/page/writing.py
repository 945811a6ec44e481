"""Putting the page together: sections into one file that asks for nothing from outside."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from semiology.render.text import number_text, shown_text
from semiology.reports.page.recordings import json_for_script

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = "templates"
PAGE = "report.html.j2"
LIBRARIES = ("plot", "datatables")
"""Charts: Observable Plot with d3; tables: DataTables. `tools/page_libraries` pins their versions and builds them."""
SCRIPTS = ("page", "tables", "charts", "heatmap", "recordings", "matrix", "errors", "address")
"""Our own scripts, each of which may use what those before it define."""
PLOT_RULES = "vendor/plot.css"
"""What Plot writes into each chart as its style, letter for letter."""
MAX_BYTES = 8_000_000


def render_page(content: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return the page as HTML.

    Args:
        content: what the templates show; all text in it is escaped.
        data: what the script reads.

    The content-security policy allows the page's styles and scripts by their hashes and nothing else;
    videos only if ``data`` names any.
    """
    styles = [template_text("page.css")]
    scripts = [template_text(f"vendor/{name}.min.js") for name in LIBRARIES] + [own_script()]
    allowed = _hashes([*styles, template_text(PLOT_RULES)])
    media = "'self' file:" if data.get("videos") else "'none'"
    policy = (
        f"default-src 'none'; style-src {allowed}; script-src {_hashes(scripts)}; media-src {media}; "
        "img-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(PAGE)
    # A lone surrogate, as a broken reply can hold, cannot be written as UTF-8.
    return (
        page.render(**content, policy=policy, styles=styles, scripts=scripts, data=json_for_script(data))
        .encode("utf-8", "replace")
        .decode("utf-8")
    )


def render_tables(template: str, content: Mapping[str, Any]) -> str:
    """Return a page of tables and pictures without a script; pictures must be in the page itself (``data:``)."""
    style = template_text("page.css")
    policy = (
        f"default-src 'none'; style-src {_hashes([style])}; img-src data:; connect-src 'none'; base-uri 'none'; "
        "form-action 'none'"
    )
    page = _environment().get_template(template).render(**content, policy=policy, style=style)
    return page.encode("utf-8", "replace").decode("utf-8")


def own_script() -> str:
    """Return our own scripts as one, whose names no other script sees."""
    parts = (template_text(f"scripts/{name}.js") for name in SCRIPTS)
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def template_text(name: str) -> str:
    """Return a file of the templates' folder."""
    return (files(__package__) / TEMPLATES / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    made = Environment(
        loader=FunctionLoader(template_text),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters |= {"two": two, "percent": percent, "signed": signed, "limits": limits, "words": words}
    made.filters |= {"code": code, "moment": moment}
    return made


def two(value: float | None, form: str = ".2f") -> str:
    """Return a score with two decimals; a dash if it is undefined."""
    return number_text(value, form).replace("-", "−")


def signed(value: float | None) -> str:
    """Return a difference with its sign and two decimals."""
    return two(value, "+.2f")


def percent(value: float | None) -> str:
    """Return a share in per cent."""
    if value is None:
        return "–"
    return f"{value:.0%}" if value in (0, 1) or 0.01 <= value <= 0.99 else f"{value:.1%}"


def limits(estimate: Mapping[str, Any], sign: bool = False) -> str:
    """Return the interval of an estimate in brackets, or that there is none."""
    if estimate["low"] is None:
        return "[no interval]"
    low, high = (two(estimate[name], "+.2f" if sign else ".2f") for name in ("low", "high"))
    return f"[{low}, {high}]"


def words(name: str) -> str:
    """Return a name of the code as words: ``head_turning`` as ``head turning``."""
    return name.replace("_", " ")


def code(text: str) -> Markup:
    """Return text, escaped, in which what stands in backticks is set as code."""
    from markupsafe import Markup, escape

    parts = [escape(shown_text(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:  # a backtick without its fellow
        return Markup("`").join(parts)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))


def moment(stamp: str) -> str:
    """Return the time that lmms-eval names files by, ``20261121_133414``, for people."""
    found = re.fullmatch(r"(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)\d\d", stamp)
    return "{}-{}-{}, {}:{}".format(*found.groups()) if found else stamp


def _shown(value: Any) -> Any:
    """Return text without control characters; everything else as it is."""
    return shown_text(value) if type(value) is str else value


def _hashes(texts: Sequence[str]) -> str:
    """Return the sources of a content-security policy that allow these texts and no others."""
    digests = (hashlib.sha256(text.encode("utf-8")).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests)
