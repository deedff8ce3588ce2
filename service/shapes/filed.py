"""The sheets of a plan without anybody's name: a token stands where a person is named, and the names are put in only where somebody looks.

A person's token is the place among the ``people`` of the plan, ⟦12⟧ for the name and ⟦12:职务⟧ for the post. So the sheets can be kept with
the plan, apart from whom it is about, and forgetting who somebody is reaches them as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from model.cohort.filing import Filing
from model.cohort.nouns import CohortPlan
from model.cohort.pairing import Between, Gift, Pairing, pairing_sheet, said_of_people
from model.cohort.quotas import hour_warnings, hours_due, load_quotas, planned_hours, switched_on
from model.domain import Profile
from model.files.sheets import SheetOut
from model.lexicon import Lexicon
from model.selection import Needs
from service.shapes.outputs import PlanResults

TOKEN = re.compile(r"(?P<blank> ?)⟦(?P<place>\d{1,7})(?P<post>:职务)?⟧")

Cell = str | float | None


class Called(NamedTuple):
    """What somebody is called where a plan is shown: the name, or what stands for it, and the post where it may be told."""

    name: str
    post: str = ""


def masked(results: PlanResults) -> PlanResults:
    """A plan and its account with tokens in place of names and posts; the faults of the file without what stood in its cells."""
    filing = results.filing
    tokens = {own.profile.id: _token(place, own.profile) for place, own in enumerate(filing.demand.people)}
    people = tuple(replace(own, profile=tokens[own.profile.id]) for own in filing.demand.people)
    return replace(
        results,
        filing=_under(filing, people),
        reading=replace(
            results.reading,
            values=tuple(tokens.get(person.id, person) for person in results.reading.values),
            faults=tuple(replace(fault, value="") for fault in results.reading.faults),
        ),
        unknown=tuple((tokens[person.id], text) for person, text in results.unknown),
    )


def _token(place: int, person: Profile) -> Profile:
    # Who has no name has a token as well: the id that stands for it tells who it is.
    return replace(person, name=f"⟦{place}⟧", post=f"⟦{place}:职务⟧" if person.post else None)


def _under(filing: Filing, people: tuple[Needs, ...]) -> Filing:
    """A filing with its people so called, and with it all that was made of their names."""
    pairs = filing.pairs and _paired(filing.pairs, {own.profile.id: own.profile.name or "" for own in people})
    settings = filing.plan.origin.parameters["settings"]
    more = sheets_beside(filing.plan, people, filing.lexicon, pairs, settings)
    return replace(filing, demand=replace(filing.demand, people=people), pairs=pairs, more=more)


def _paired(pairing: Pairing, called: dict[str, str]) -> Pairing:
    """Pairs whose sentences call people so; those of units name nobody."""
    if pairing.between is Between.UNITS:
        return pairing

    def said(gifts: Iterable[Gift], giver: str, taker: str) -> tuple[Gift, ...]:
        return tuple(
            replace(gift, text=said_of_people(called[giver], gift.competency, called[taker])) for gift in gifts
        )

    return replace(
        pairing,
        pairs=tuple(
            replace(
                pair,
                first_gives=said(pair.first_gives, pair.first, pair.second),
                second_gives=said(pair.second_gives, pair.second, pair.first),
            )
            for pair in pairing.pairs
        ),
    )


def named(sheet: SheetOut, people: Sequence[Called]) -> SheetOut:
    """A sheet with what people are called in place of the tokens."""
    call = calling(people)
    return replace(sheet, rows=[[call(cell) for cell in row] for row in sheet.rows])


def calling(people: Sequence[Called]) -> Callable[[Cell], Cell]:
    """What puts names into a cell."""

    def called(found: re.Match[str]) -> str:
        place = int(found["place"])
        if place >= len(people):
            return found[0]  # Somebody wrote it so.
        words = people[place].post if found["post"] else people[place].name
        # The blank before a post goes with it.
        return found["blank"] + words if words or not found["post"] else ""

    def call(cell: Cell) -> Cell:
        return TOKEN.sub(called, cell) if isinstance(cell, str) and "⟦" in cell else cell

    return call


def sheets_beside(
    plan: CohortPlan,
    people: Sequence[Needs],
    lexicon: Lexicon,
    pairs: Pairing | None,
    settings: Mapping[str, Any],
) -> tuple[SheetOut, ...]:
    """The sheets that come from elsewhere: who falls short of which quota of hours, and who is paired with whom."""
    due = hours_due(
        [own.profile for own in people],
        switched_on(load_quotas(), settings["QUOTAS"]),
        planned_hours(plan.sessions),
        settings["WEAK_SHARE"] / 100,
    )
    return (hour_warnings(due, lexicon), *([pairing_sheet(pairs, people)] if pairs else []))
