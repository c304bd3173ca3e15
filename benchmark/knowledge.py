"""The knowledge base on the command line: ``kb add|list|remove|search|eval``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmark.errors import EXIT_OK, BenchmarkError
from envs.formulation.knowledge import (
    KnowledgeError,
    KnowledgeFolder,
    default_folder,
    shipped_notes,
)
from envs.formulation.knowledge.gold import gold_queries
from envs.formulation.retrieval import METHODS, build_retriever, open_retriever
from envs.formulation.retrieval.measures import Measures, mean, measure
from envs.formulation.retrieval.opening import DEFAULT_METHOD
from envs.formulation.retrieval.retriever import TOP
from envs.formulation.retrieval.splitting import split

FOLDER = "kb="
LIMIT = 50
"""Chunks a person may ask for at once."""


def knowledge(arguments: Sequence[str]) -> int:
    """Look after the knowledge base, or search it."""
    folders = [argument for argument in arguments if argument.startswith(FOLDER)]
    rest = [argument for argument in arguments if not argument.startswith(FOLDER)]
    options = _parser().parse_args(rest)
    if folders and folders[-1] == FOLDER:
        raise BenchmarkError("kb= needs a folder: kb=DIR")
    folder = Path(folders[-1].removeprefix(FOLDER)) if folders else default_folder()
    try:
        if options.command == "add":
            return _add(folder, options.files)
        if options.command == "list":
            return _list(folder)
        if options.command == "remove":
            return _remove(folder, options.names)
        if options.command == "search":
            return _search(folder, options.query, options.method, options.limit)
        return _evaluate()
    except KnowledgeError as error:
        raise BenchmarkError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmark kb",
        epilog=f"kb=DIR names another folder than {default_folder()}",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="add documents: .pdf, .md, .txt, .html")
    adding.add_argument("files", nargs="+", type=Path, metavar="FILE")
    commands.add_parser("list", help="the shipped notes and your documents")
    removing = commands.add_parser("remove", help="forget documents of yours")
    removing.add_argument("names", nargs="+", metavar="NAME")
    searching = commands.add_parser("search", help="the chunks that answer a question")
    searching.add_argument("query")
    searching.add_argument("--method", choices=METHODS, default=DEFAULT_METHOD)
    searching.add_argument("--limit", type=_limit, default=TOP, metavar="N")
    commands.add_parser("eval", help="precision, recall and MRR of each method on the gold set")
    return parser


def _limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LIMIT:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to {LIMIT}, found {text}")
    return int(text)


def _add(folder: Path, files: Sequence[Path]) -> int:
    """Add all files, or say what is wrong with the first that cannot be added."""
    base = KnowledgeFolder(folder)
    for file in files:
        added = base.add(file)
        chunks = len(split([added.document]))
        state = "added" if added.new else "already here"
        print(f"{state}: {added.document.name}: {added.document.title} ({chunks} chunks)")
    return EXIT_OK


def _list(folder: Path) -> int:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    notes, own = shipped_notes(), KnowledgeFolder(folder).documents()
    console.print(f"{len(notes)} notes that ship with the suite, {len(split(notes))} chunks:")
    for document in notes:
        console.print(f"  {document.name}: {document.title}")
    console.print(f"{len(own)} of your own in {folder}, {len(split(own))} chunks:")
    for document in own:
        console.print(f"  {document.name}: {document.title} (from {document.source})")
    return EXIT_OK


def _remove(folder: Path, names: Sequence[str]) -> int:
    base = KnowledgeFolder(folder)
    for name in names:
        base.remove(name)
        print(f"removed: {name}")
    return EXIT_OK


def _search(folder: Path, query: str, method: str, limit: int) -> int:
    hits = open_retriever(method, folder=folder).search(query, limit)
    console = Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
    for hit in hits:
        chunk = hit.chunk
        console.print(f"{chunk.id}  {chunk.title}  (score {hit.score:.4g}, {chunk.source})")
        console.print("\n".join(f"    {line}" for line in chunk.text.splitlines()) + "\n")
    if not hits:
        print("nothing in the knowledge base has a word in common with this", file=sys.stderr)
    return EXIT_OK


def _evaluate() -> int:
    """The shipped notes only: a user's documents would change the figures."""
    chunks, queries = split(shipped_notes()), gold_queries()
    console = Console(highlight=False)
    table = Table(
        title=f"{len(queries)} queries, {len(chunks)} chunks of {len(shipped_notes())} notes",
        title_justify="left",
    )
    for head in ("method", "queries"):
        table.add_column(head)
    for head in (f"precision@{TOP}", f"recall@{TOP}", "MRR", f"answered@{TOP}"):
        table.add_column(head, justify="right")
    for method in METHODS:
        retriever = build_retriever(chunks, method)
        found = [measure(retriever, query) for query in queries]
        table.add_row(method, "all", *_figures(mean(found)), style="bold")
        for kind in dict.fromkeys(query.kind for query in queries):
            part = [m for m, query in zip(found, queries, strict=True) if query.kind == kind]
            table.add_row("", f"{kind} ({len(part)})", *_figures(mean(part)))
    console.print(table)
    console.print(f"default: {DEFAULT_METHOD}")
    return EXIT_OK


def _figures(measures: Measures) -> list[str]:
    values = (measures.precision, measures.recall, measures.reciprocal_rank, measures.found)
    return [f"{value:.3f}" for value in values]
