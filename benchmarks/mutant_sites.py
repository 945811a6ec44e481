"""Small faults for the metrics: where one can be put, of which kind, and those that tests once missed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

KINDS = (
    "comparison", "sign", "operator", "off by one", "constant", "min and max", "condition", "arguments",
    "dropped patients", "ddof",
)  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
SIGNS: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {ast.Mult: ast.Div, ast.Div: ast.Mult}
NAMES = {"maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max", "any": "all", "all": "any"}

NAMED: tuple[tuple[str, str, str, str], ...] = (
    ("metrics/scores/classification.py", "arguments", '"always_no_f1": constant[NO]', '"always_no_f1": constant[YES]'),
    ("metrics/scores/aggregation.py", "condition",
     'by = ["video_id", "feature"] if column == "truth" else ["video_id"]', 'by = ["video_id", "feature"]'),
    ("metrics/statistics/intervals.py", "operator", "own_size = (recordings**2).sum() / recordings.sum()",
     "own_size = recordings.mean()"),
    ("metrics/statistics/intervals.py", "ddof", "tail = ndtr(-np.sqrt(n_patients / (n_patients - 1)) *",
     "tail = ndtr(-np.sqrt((n_patients - 1) / n_patients) *"),
    ("metrics/statistics/intervals.py", "constant", "ASSUMED_CORRELATION = 0.45", "ASSUMED_CORRELATION = 0.28"),
    ("metrics/paired/comparison.py", "sign", "float((sides.second[m] - sides.first[m])[used[m]].mean())",
     "float((sides.first[m] - sides.second[m])[used[m]].mean())"),
    ("metrics/paired/comparison.py", "dropped patients", "draw_flips(len(tables.patients), flips, seed)",
     "draw_flips(len(tables.patients), flips // 2, seed)"),
    ("metrics/paired/comparison.py", "min and max", "plain = np.maximum(flip_p_value(seen, flipped, signs), least)",
     "plain = flip_p_value(seen, flipped, signs)"),
    ("metrics/statistics/intervals.py", "dropped patients", '((with_feature, "with"), (without, "without"))',
     '((with_feature, "with"),)'),
    ("metrics/paired/comparison.py", "dropped patients", "int((without > 0).sum()) if negative else None",
     "int(without.sum()) if negative else None"),
    ("metrics/paired/comparison.py", "condition", "caution=caution, withheld=withheld",
     "caution=caution, withheld=None"),
    ("metrics/paired/comparison.py", "constant", "\nMARGIN = 0.05", "\nMARGIN = 0.5"),
    ("metrics/s3/sequence/measures.py", "arguments", "times.setdefault(feature, float(position))",
     "times[feature] = float(position)"),
    ("metrics/s3/onset_time.py", "comparison", "(errors <= tolerance_s)", "(errors < tolerance_s)"),
    ("metrics/s3/onset_time.py", "constant", "hits = hits_within(target, answer, tolerance)",
     "hits = hits_within(target, answer, tolerance + 0.5)"),
    ("metrics/s3/text/seizure_rqi.py", "arguments", "coverage = _covered(report.features, reference.features)",
     "coverage = _covered(reference.features, report.features)"),
    ("metrics/s3/text/seizure_rqi.py", "condition", "one_is_empty = bool(report.features) != bool(reference.features)",
     "one_is_empty = False"),
    ("metrics/robustness/sums.py", "comparison", 'np.where(answers.truth == c, means[f"worst_at_{m}"]',
     'np.where(answers.truth != c, means[f"worst_at_{m}"]'),
    ("metrics/statistics/bootstrap.py", "dropped patients", "drawn = (weights @ sums) / (weights @ counts)",
     "drawn = (weights @ (sums / counts)) / weights.sum(1)"),
    ("metrics/statistics/bootstrap.py", "dropped patients", "per_class = (tables.sum(-1) > 0).sum(0)",
     "per_class = tables.sum(-1).sum(0)"),
    ("metrics/statistics/mcnemar.py", "constant", "return float(1 - binom.pmf(fewer, n, 0.5) / 2)", "return 1.0"),
)  # fmt: skip
"""Faults that no test noticed when they were first looked for: file, kind, what it says, what the fault says."""


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        file: below the root. line, text: number and text of the line that is changed. kind: one of `KINDS`.
        before, after: what was there, and what is. source: of the whole file with the fault.
        lines: first and last line of the statement, of which a test must run one to see it; None where it runs as the
            file is imported.
    """

    file: str
    line: int
    text: str
    kind: str
    before: str
    after: str
    source: str
    lines: tuple[int, int] | None

    @property
    def room(self) -> str:
        """Room of the file, such as ``statistics``; of a file beside the rooms its name."""
        return self.file.split("/")[1].removesuffix(".py")

    @property
    def told(self) -> str:
        """File, line, kind, what was there and what is."""
        return f"{self.file}:{self.line}: {self.kind}: {self.before} -> {self.after}"

    @property
    def module(self) -> str:
        """Name of the module."""
        return ".".join(("semiology", *Path(self.file).with_suffix("").parts))

    @property
    def key(self) -> str:
        """Digest of the file with the fault."""
        return sha256(f"{self.file}\n{self.source}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Site:
    """A place that can be changed: the file, the number of the node in it, and the kind of change."""

    path: Path
    place: int
    kind: str


def sites_of(path: Path) -> list[Site]:
    """Return every place of a file that can be changed, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [Site(path, place, kind) for place, (_, kind) in enumerate(_sites(tree))]


def mutant_at(site: Site, root: Path) -> Mutant:
    """Return the mutant of a place."""
    source = site.path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    node, kind = list(_sites(tree))[site.place]
    before, lines = ast.unparse(_shown(node)), _statement(tree, node)
    line = int(getattr(node.value if isinstance(node, ast.keyword) else node, "lineno", 1))
    text = source.splitlines()[line - 1].strip()
    _change(node, kind)
    made = ast.unparse(ast.fix_missing_locations(tree))
    name = site.path.relative_to(root).as_posix()
    return Mutant(name, line, text, kind, before, ast.unparse(_shown(node)), made, lines)


def named(root: Path) -> list[Mutant]:
    """Return the mutants of `NAMED`.

    Raises:
        ValueError: a file does not hold what is to be changed exactly once.
    """
    found = []
    for file, kind, before, after in NAMED:
        source = (root / file).read_text(encoding="utf-8")
        if source.count(before) != 1:
            raise ValueError(
                f"{file}: holds {source.count(before)} times {before!r} → say in NAMED where it went"
            )
        line = source[: source.index(before)].count("\n") + 1 + before.startswith("\n")
        inside = [node for node in ast.walk(ast.parse(source)) if getattr(node, "lineno", 0) == line]
        lines = _statement(ast.parse(source), inside[0]) if inside else (line, line)
        made = source.replace(before, after)
        text = source.splitlines()[line - 1].strip()
        found.append(Mutant(file, line, text, kind, before.strip(), after.strip(), made, lines))
    return found


def drawn(sites: list[Site], count: int, seed: int, root: Path) -> list[Site]:
    """Return a number of places, as many of each kind as there are or as makes the kinds even.

    What is drawn of a file does not depend on the other files.
    """

    def rank(site: Site) -> str:
        return sha256(
            f"{seed} {site.path.relative_to(root).as_posix()} {site.kind} {site.place}".encode()
        ).hexdigest()

    by_kind = [sorted((each for each in sites if each.kind == kind), key=rank) for kind in KINDS]
    found: list[Site] = []
    while len(found) < count and any(by_kind):
        found += [own.pop(0) for own in by_kind if own]
    return found[:count]


def _sites(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield every node that can be changed, with the kind of change."""
    for node in _walk(tree):
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS and len(node.ops) == 1:
            yield node, "comparison"
        elif isinstance(node, ast.BinOp) and not _text(node):
            if (
                isinstance(node.op, ast.Sub)
                and isinstance(node.right, ast.Constant)
                and node.right.value == 1
            ):
                yield node, "ddof"
            elif type(node.op) in SIGNS:
                yield node, "sign"
            elif type(node.op) in OPERATORS:
                yield node, "operator"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield node, "sign"
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield node, "off by one" if isinstance(node.value, int) else "constant"
        elif isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            if (node.attr if isinstance(node, ast.Attribute) else node.id) in NAMES:
                yield node, "min and max"
        elif isinstance(node, ast.If | ast.IfExp):
            yield node, "condition"
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Compare):
            yield node, "dropped patients"
        if isinstance(node, ast.keyword) and node.arg == "ddof":
            yield node, "ddof"
        if isinstance(node, ast.Call) and _over_patients(node):
            yield node, "dropped patients"
        elif isinstance(node, ast.Call) and _ordered(node):
            yield node, "arguments"


def _ordered(node: ast.Call) -> bool:
    """Whether a call has two arguments whose order can matter."""
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return (
        len(node.args) > 1
        and name not in NAMES
        and not any(isinstance(each, ast.Starred) for each in node.args)
        and ast.dump(node.args[0]) != ast.dump(node.args[1])
    )


def _over_patients(node: ast.Call) -> bool:
    """Whether a call adds up or averages over the first axis, which is that of patients or resamples."""
    first = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "axis")]
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in ("sum", "mean")
        and len(first) == 1
        and isinstance(first[0], ast.Constant)
        and first[0].value == 0
    )


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield nodes in order, without annotations, raised errors, texts, imports and assertions."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Raise | ast.JoinedStr | ast.Assert | ast.Import | ast.ImportFrom):
                continue
            if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            if isinstance(child, ast.AST):
                yield child
                yield from _walk(child)


def _text(node: ast.AST) -> bool:
    return any(isinstance(each, ast.JoinedStr | ast.Constant) and isinstance(getattr(each, "value", ""), str)
               for each in ast.walk(node))  # fmt: skip


def _change(node: ast.AST, kind: str) -> None:
    """Change a node in place; each mutant parses its file anew."""
    if isinstance(node, ast.Compare):
        node.ops[0] = COMPARISONS[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp) and kind == "ddof":
        node.right = ast.Constant(0)
    elif isinstance(node, ast.BinOp):
        node.op = {**SIGNS, **OPERATORS}[type(node.op)]()
    elif isinstance(node, ast.UnaryOp):
        node.op = ast.UAdd()
    elif isinstance(node, ast.Constant):
        assert isinstance(node.value, int | float)
        node.value = node.value + 1 if isinstance(node.value, int) else node.value * 2 + 0.01
    elif isinstance(node, ast.Attribute):
        node.attr = NAMES[node.attr]
    elif isinstance(node, ast.Name):
        node.id = NAMES[node.id]
    elif isinstance(node, ast.If | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Subscript):
        node.slice = ast.Slice()
    elif isinstance(node, ast.keyword):
        node.value = ast.Constant(0)
    elif isinstance(node, ast.Call) and kind == "dropped patients":
        assert isinstance(node.func, ast.Attribute)
        node.func.value = ast.Subscript(node.func.value, ast.Slice(lower=ast.Constant(1)), ast.Load())
    elif isinstance(node, ast.Call):
        node.args[:2] = node.args[1::-1]


def _shown(node: ast.AST) -> ast.AST:
    return node.test if isinstance(node, ast.If) else node


def _statement(tree: ast.Module, node: ast.AST) -> tuple[int, int] | None:
    """Return first and last line of the innermost statement around a node; None where it runs at import."""
    line, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
    if isinstance(node, ast.keyword):
        line, end = node.value.lineno, node.value.end_lineno or 0
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.Lambda)]
    if not any(
        (each.body[0].lineno if isinstance(each, ast.FunctionDef) else each.lineno)
        <= line
        <= (each.end_lineno or 0)
        for each in functions
    ):
        return None
    around = [
        each for each in ast.walk(tree)
        if isinstance(each, ast.stmt) and each.lineno <= line and (each.end_lineno or 0) >= end
    ]  # fmt: skip
    inner = min(around, key=lambda each: (each.end_lineno or 0) - each.lineno)
    last = inner.end_lineno or inner.lineno
    body = getattr(inner, "body", None)
    if isinstance(body, list) and body:
        last = max(inner.lineno, body[0].lineno - 1)
    return inner.lineno, last
