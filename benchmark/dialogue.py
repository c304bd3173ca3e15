"""The conversation in the terminal: look at a problem, change it by hand or in words, go back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import envs
from benchmark.problems import describe
from envs.formulation.edits import EditError
from envs.formulation.files import write_text
from envs.formulation.llm import LanguageModelError
from envs.formulation.loop import Formulation
from envs.formulation.session import Session, Step, bounding, dropping, setting
from envs.formulation.transcript import TranscriptError
from envs.formulation.writing import to_yaml
from envs.problem import Problem

HELP = """\
  show                  the problem as mathematics
  yaml                  the problem as its spec
  ask WORDS             change it in words, by the language model
  set PATH VALUE        set parameters.band.value 30
  bound NAME LOW HIGH   bound power 0.1 2: a decision's, state's or process's range
  drop NAME             drop a constraint, or any item by its path
  check                 look for signs of a poor problem
  undo, redo, history   every step can be taken back
  write                 write the spec to its file
  quit                  leave; the same command with --session goes on here"""

Ask = Callable[[str, str | None], Formulation]
"""Words, and the spec they are about (None for a new one)."""


class Dialogue:
    """Reads commands and answers them, one line at a time."""

    def __init__(
        self, session: Session, ask: Ask, out: Path, say: Callable[[str], None] = print
    ) -> None:
        """Begin or go on.

        Args:
            session: What there is already.
            ask: The way to the language model.
            out: Where ``write`` writes.
            say: Shows a text.
        """
        self._session, self._ask, self._out, self._say = session, ask, out, say
        self._commands: dict[str, Callable[[str], None]] = {
            "show": self._show,
            "yaml": lambda _: say(to_yaml(session.document)),
            "ask": self.ask,
            "set": self._set,
            "bound": self._bound,
            "drop": self._drop,
            "check": self._check,
            "undo": lambda _: say(f"undone: {session.undo()}"),
            "redo": lambda _: say(f"again: {session.redo()}"),
            "history": self._history,
            "write": self._write,
            "help": lambda _: say(HELP),
        }

    def run(self, lines: Callable[[], str]) -> None:
        """Answer until the end of input or ``quit``.

        Args:
            lines: Gives the next line; raises EOFError at the end.
        """
        self._say("'help' tells the commands")
        while True:
            try:
                line = lines().strip()
            except EOFError:
                return
            if line in ("quit", "exit"):
                return
            if line:
                self.obey(line)

    def obey(self, line: str) -> None:
        """One command; what is wrong with it is said, and nothing changes."""
        word, _, rest = line.partition(" ")
        command = self._commands.get(word)
        if command is None:
            self._say(f"there is no command '{word}'; 'help' tells them")
            return
        try:
            command(rest.strip())
        except envs.SpecError as error:
            self._say(f"refused, nothing has changed: {describe(error)}")
        except (EditError, LanguageModelError, TranscriptError, ValueError, OSError) as error:
            self._say(f"refused, nothing has changed: {error}")

    def ask(self, words: str) -> None:
        """Ask the model for a spec, or for a change of the current one."""
        if not words:
            raise EditError("usage: ask WORDS")
        current = to_yaml(self._session.document) if self._session.position >= 0 else None
        result = self._ask(words, current)
        for finding in result.findings:
            self._say(str(finding))
        if result.document is None:
            self._say("no answer compiled; nothing has changed")
            return
        self._session.add(Step(f"asked: {words}", result.document, result.transcript))
        self._told(result.problem)

    def _told(self, problem: Problem | None) -> None:
        if problem is not None:
            decided = ", ".join(problem.spec.decisions)
            self._say(f"{problem.name} {problem.digest[:12]}: {problem.title}; decides {decided}")

    def _show(self, arguments: str) -> None:
        self._say(envs.as_markdown(Problem(self._session.document)))

    def _set(self, arguments: str) -> None:
        path, value = _expect(arguments, "set PATH VALUE", 2)
        edit = setting(self._session.document, path, value)
        self._told(self._session.change(f"set {path} {value}", [edit]))

    def _bound(self, arguments: str) -> None:
        name, low, high = _expect(arguments, "bound NAME LOW HIGH", 3)
        edit = bounding(self._session.document, name, low, high)
        self._told(self._session.change(f"bound {name} {low} {high}", [edit]))

    def _drop(self, arguments: str) -> None:
        (name,) = _expect(arguments, "drop NAME", 1)
        edit = dropping(self._session.document, name)
        self._told(self._session.change(f"drop {name}", [edit]))

    def _check(self, arguments: str) -> None:
        from envs.formulation.assessment import assess

        findings = assess(self._session.document).findings
        self._say("\n".join(map(str, findings)) or "ok")

    def _history(self, arguments: str) -> None:
        for number, step in enumerate(self._session.steps):
            mark = "*" if number == self._session.position else " "
            self._say(f"{mark} {number} {step.done}")

    def _write(self, arguments: str) -> None:
        write_text(self._out, to_yaml(self._session.document))
        self._say(f"written: {self._out}")


def _expect(arguments: str, usage: str, count: int) -> list[str]:
    """As many words as a command takes; the last takes the rest, quotes and all."""
    words = arguments.split(maxsplit=count - 1)
    if len(words) < count:
        raise EditError(f"usage: {usage}")
    return words
