"""The same spec with its expressions written otherwise."""

from __future__ import annotations

import random
from collections.abc import Callable

from envs.formulation.evaluation.mutants import Document, expressions_of, replaced
from envs.formulation.evaluation.writing import everywhere, sites, written
from envs.spec.expressions import Call, Element, Expression, Name, Number, Quantity, parse
from envs.spec.units import parse_unit


def _each_expression(document: Document, change: Callable[[Expression], Expression]) -> Document:
    """Every expression that J is made of, changed; rules, metrics and observations stay."""
    for path, text in list(expressions_of(document)):
        document = replaced(document, path, written(change(parse(text))))
    return document


def inlined(document: Document, rng: random.Random) -> Document:
    """No equation is used: each stands where it was named."""
    trees = {name: parse(item["expr"]) for name, item in document.get("equations", {}).items()}

    def inline(node: Expression) -> Expression:
        if isinstance(node, Name) and node.name in trees:
            return everywhere(trees[node.name], inline)
        return node

    return _each_expression(document, lambda tree: everywhere(tree, inline))


def split(document: Document, rng: random.Random) -> Document:
    """Equations moved into processes are not touched; others give a factor or a term away."""
    fresh: dict[str, Document] = {}
    for name, item in list(document.get("equations", {}).items()):
        tree = parse(item["expr"])
        parts = [
            (node, put)
            for node, put in sites(tree)
            if isinstance(node, Call) and node.function in "+-" and node is not tree
        ]
        if not parts:
            # The whole of it under another name, which the first then only repeats.
            fresh[f"{name}_part"] = {**item}
            item["expr"] = f"{name}_part"
    document["equations"] = {**fresh, **document.get("equations", {})}
    carbon = document["objective"]["carbon"]
    document["equations"]["carbon_of_step"] = {"unit": carbon["unit"], "expr": carbon["expr"]}
    carbon["expr"] = "carbon_of_step"
    return document


def algebra(document: Document, rng: random.Random) -> Document:
    """Commuted, negated twice, divided by multiplying, squared by itself."""

    def change(node: Expression) -> Expression:
        if rng.random() < 0.35:
            return node
        match node:
            case Call(("+" | "*" | "min" | "max") as name, (a, b)):
                return Call(name, (b, a))
            case Call("-", (a, b)):
                return rng.choice(
                    [Call("negate", (Call("-", (b, a)),)), Call("+", (Call("negate", (b,)), a))]
                )
            case Call("/", (a, b)):
                return Call("*", (Call("/", (Number(1.0), b)), a))
            case Call("clip", (x, low, high)):
                return Call("min", (high, Call("max", (low, x))))
            case Call("sqrt", (x,)):
                return Call("**", (x, Number(0.5)))
            case Call("**", (x, Number(2.0))):
                return Call("*", (x, x))
            case Quantity(value, unit):
                return Call("*", (Number(value), Quantity(1.0, unit))) if value else node
        return node

    return _each_expression(document, lambda tree: everywhere(tree, change))


def choices(document: Document, rng: random.Random) -> Document:
    """Maximum by condition, minimum by maximum."""

    def change(node: Expression) -> Expression:
        match node:
            case Call("max", (a, b)):
                return Call("where", (Call(">", (a, b)), a, b))
            case Call("min", (a, b)):
                return Call("negate", (Call("max", (Call("negate", (a,)), Call("negate", (b,)))),))
        return node

    # Intervals do not see through such choices; only what is no state and no divisor is rewritten.
    for path, text in list(expressions_of(document)):
        if path[0] in ("objective", "constraints"):
            document = replaced(document, path, written(everywhere(parse(text), change)))
    return document


def distributed(document: Document, rng: random.Random) -> Document:
    """Factors multiplied out, sums taken apart."""

    def change(node: Expression) -> Expression:
        match node:
            case Call("*", (a, Call(("+" | "-") as sign, (b, c)))):
                return Call(sign, (Call("*", (a, b)), Call("*", (a, c))))
            case Call("*", (Call(("+" | "-") as sign, (b, c)), a)):
                return Call(sign, (Call("*", (b, a)), Call("*", (c, a))))
            case Call("sum", (Call(("+" | "-") as sign, (a, b)), *sets)):
                return Call(sign, (Call("sum", (a, *sets)), Call("sum", (b, *sets))))
        return node

    for path, text in list(expressions_of(document)):
        if path[0] in ("objective", "constraints"):
            document = replaced(document, path, written(everywhere(parse(text), change)))
    return document


def constants_named(document: Document, rng: random.Random) -> Document:
    """Quantities in expressions become parameters."""
    fresh: dict[str, Document] = {}

    def change(node: Expression) -> Expression:
        if isinstance(node, Quantity) and node.value:
            name = f"constant_{len(fresh)}"
            fresh[name] = {"unit": node.unit.text, "value": node.value}
            return Name(name)
        return node

    document = _each_expression(document, lambda tree: everywhere(tree, change))
    document["parameters"] = {**document.get("parameters", {}), **fresh}
    return document


def parameters_inlined(document: Document, rng: random.Random) -> Document:
    """Fixed scalar parameters become quantities in expressions."""
    fixed = {
        name: Quantity(float(item["value"]), parse_unit(str(item["unit"])))
        for name, item in document.get("parameters", {}).items()
        if isinstance(item.get("value"), int | float) and item["value"] > 0
    }
    return _each_expression(
        document,
        lambda tree: everywhere(tree, lambda n: fixed.get(n.name, n) if isinstance(n, Name) else n),
    )


def noise_apart(document: Document, rng: random.Random) -> Document:
    """An autoregression as a standard one, scaled and shifted in a process of its own."""
    for name, item in list(document.get("processes", {}).items()):
        given = item.get("ar1")
        if not given or not all(isinstance(given[k], int | float) for k in ("mean", "std")):
            continue
        unit = item["unit"]
        low, high = item["bounds"]
        document["processes"][f"{name}_noise"] = {
            "unit": "1",
            **({"index": item["index"]} if "index" in item else {}),
            "ar1": {"mean": 0, "std": 1, "correlation": given["correlation"]},
        }
        document["processes"][name] = {
            **{key: value for key, value in item.items() if key in ("unit", "index")},
            "expr": f"clip(('{given['mean']} {unit}' + '{given['std']} {unit}' * {name}_noise), "
            f"'{low} {unit}', '{high} {unit}')",
        }
    return document


def constraint_by_element(document: Document, rng: random.Random) -> Document:
    """A constraint over a labelled or numbered set as one constraint for each element."""
    for name, item in list(document.get("constraints", {}).items()):
        nodes = [node for node, _ in sites(parse(item["expr"]))]
        if any(isinstance(node, Element) for node in nodes):
            continue
        names = {node.name for node in nodes if isinstance(node, Name)}
        over = {
            one
            for section in ("parameters", "processes", "decisions")
            for other in names
            for one in document.get(section, {}).get(other, {}).get("index", [])
        }
        if len(over) == 1 and "sum(" not in item["expr"]:
            (index,) = over
            size = document["sets"][index]
            count = size if isinstance(size, int) else len(size)
            del document["constraints"][name]
            for k in range(count):
                expr = f"({item['expr']})[{k}]"
                document["constraints"][f"{name}_{k}"] = {**item, "expr": expr}
    return document
