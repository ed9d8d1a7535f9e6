"""A chapter whose steps are bound, with what of it still waits to be settled."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from gonogo.plan.kinds import Role
from gonogo.plan.model import Step
from gonogo.runbook.binding import Loose
from gonogo.runbook.chapters import Chapter
from gonogo.runbook.drafts import Draft
from gonogo.runbook.identity import slug_of_title


@dataclass(slots=True)
class BoundChapter:
    """A chapter whose drafts are bound; `loose` and `steps` run side by side."""

    chapter: Chapter
    id: str
    loose: list[Loose] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    questions: list[Draft] = field(default_factory=list)
    has_rules: bool = False

    @property
    def is_phase(self) -> bool:
        """Whether it is carried out in its turn: no way back, and not empty."""
        if self.chapter.role is Role.ROLLBACK:
            return False
        return bool(self.steps) or (self.chapter.role is Role.WATCH and self.has_rules)


def asked_in(home: BoundChapter, first: BoundChapter, draft: Draft) -> Draft:
    """Return a question as a watch asks it, which closes its own: no two steps share a name."""
    title = home.chapter.title if slug_of_title(home.chapter.title) == home.id else home.id
    return draft if home is first else dataclasses.replace(draft, path=(title, *draft.path))
