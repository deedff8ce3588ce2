"""Who sits where while a menu is being filled: seats, hours and numbers of people kept at every step, and people shared out over parallel sessions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from math import ceil, inf

from model.cohort.menu_program import MenuProblem
from model.cohort.program import SAME


class Seating:
    """People and the choices (by their places) they attend. A choice is held as few times as its people have room in."""

    def __init__(self, problem: MenuProblem, taken: Iterable[tuple[int, int]] = ()) -> None:
        self.problem = problem
        self.attends: dict[int, set[int]] = defaultdict(set)
        self.sitting: dict[int, list[int]] = defaultdict(list)
        self.twins = {place: set(group) - {place} for group in problem.twins for place in group}
        self.offers: dict[int, list[int]] = defaultdict(list)
        for person, place in problem.seats:
            self.offers[person].append(place)
        for person, place in taken:
            self.sit(person, place)

    def sit(self, person: int, place: int) -> None:
        """Give a seat."""
        self.attends[person].add(place)
        self.sitting[place].append(person)

    def leave(self, person: int, place: int) -> None:
        """Take a seat back."""
        self.attends[person].remove(place)
        self.sitting[place].remove(person)

    def times_for(self, place: int, people: int) -> int:
        """How many times a choice must be held for so many people."""
        return ceil(people / self.problem.capacity[place])

    @property
    def times(self) -> dict[int, int]:
        """How many times each choice is held."""
        return {place: self.times_for(place, len(people)) for place, people in self.sitting.items() if people}

    @property
    def covered(self) -> list[int]:
        """Who attends anything."""
        return [person for person, mine in self.attends.items() if mine]

    @property
    def worth(self) -> int:
        """What all of it closes, in ten-thousandths."""
        return sum(self._worth_of(person, mine) for person, mine in self.attends.items())

    def _worth_of(self, person: int, places: Collection[int]) -> int:
        return sum(max((gain.get(place, 0) for place in places), default=0) for gain in self.problem.gains[person])

    def gain(self, person: int, place: int) -> int:
        """What a person gains by a choice besides all others that they attend, in ten-thousandths."""
        others = self.attends[person] - {place}
        return self._worth_of(person, {*others, place}) - self._worth_of(person, others)

    def hours(self, person: int) -> float:
        """The hours a person attends."""
        return sum(self.problem.demand.choices[place].hours for place in self.attends[person])

    def fits(self, person: int, place: int) -> bool:
        """Whether a choice fits the hours a person has left."""
        return self.hours(person) + self.problem.demand.choices[place].hours <= self.problem.limits[person] + SAME

    def full(self, place: int) -> bool:
        """Whether a choice is held, and every seat of it taken."""
        people = len(self.sitting.get(place, ()))
        return people > 0 and people == self.times_for(place, people) * self.problem.capacity[place]

    def enough(self, place: int, people: int) -> bool:
        """Whether so many people are enough for all the times a choice must be held for them."""
        return people >= self.problem.asked.least * self.times_for(place, people)

    def free(self, person: int, place: int) -> bool:
        """Whether a person can have one more seat of a choice, if need be by holding it once more; it need not gather enough people."""
        asked, pinned, twins = self.problem.asked, self.problem.pinned, self.twins.get(place, set())
        people = len(self.sitting[place])
        times = self.times_for(place, people + 1)
        if place in self.attends[person] or twins & self.attends[person] or not self.fits(person, place):
            return False
        if times == self.times_for(place, people):
            return True
        beside = twins - pinned if place in pinned else twins
        alone = bool(asked.offered) or not any(self.sitting.get(twin) for twin in beside)
        most = inf if asked.most_sessions is None else asked.most_sessions
        return alone and times <= asked.repeats and sum(self.times.values()) < most

    def tidy(self) -> Seating:
        """Take back seats that bring nothing, where enough people stay; then give what is free to whom it brings most."""
        for place, people in self.sitting.items():
            idle = [person for person in people if len(self.attends[person]) > 1 and not self.gain(person, place)]
            least = max(len(people) - len(idle), int(place in self.problem.pinned))
            stay = next(n for n in range(least, len(people) + 1) if self.enough(place, n))
            for person in idle[: len(people) - stay]:
                self.leave(person, place)
        left = ((self.gain(*seat), seat) for seat in self.problem.seats if seat[1] not in self.attends[seat[0]])
        for _, (person, place) in sorted(left, key=lambda one: (-one[0], one[1])):
            if (
                self.gain(person, place)
                and self.free(person, place)
                and self.enough(place, len(self.sitting[place]) + 1)
            ):
                self.sit(person, place)
        return self


def first_come(problem: MenuProblem, places: Collection[int], merit: Callable[[int, float], float]) -> Seating:
    """In the order of the roster everybody takes, one after the other, the free seat at one of these choices of the largest merit (of gain and hours).

    Of each choice the session that was opened last is cancelled if too few took it.
    """
    seating, choices = Seating(problem), problem.demand.choices
    for person in problem.people:
        while offers := [
            (merit(gain, choices[place].hours), -place)
            for place in seating.offers[person]
            if place in places and seating.free(person, place) and (gain := seating.gain(person, place))
        ]:
            seating.sit(person, -max(offers)[1])
    for place, times in seating.times.items():
        last = seating.sitting[place][(times - 1) * problem.capacity[place] :]
        if len(last) < problem.asked.least:
            for person in last:
                seating.leave(person, place)
    return seating


def shared_out(people: Sequence[int], units: Sequence[Hashable], times: int) -> list[list[int]]:
    """People shared out as evenly as can be over parallel sessions, those of a unit together: each session in turn takes the whole units that
    fill it best, then a part of the largest that is left. ``units`` tells the unit of each."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for person, unit in zip(people, units, strict=True):
        members[unit].append(person)
    left, shares = list(members.values()), []
    for number in range(times):
        room = len(people) // times + (number < len(people) % times)
        whole = _filling([len(unit) for unit in left], room)
        share = [person for place in whole for person in left[place]]
        left = [unit for place, unit in enumerate(left) if place not in whole]
        if len(share) < room:
            largest = max(left, key=len)
            short = room - len(share)
            share += largest[:short]
            del largest[:short]
        shares.append(sorted(share))
    return shares


def _filling(sizes: Sequence[int], room: int) -> tuple[int, ...]:
    """The places of the sizes that fill a room best without being split, earlier ones first."""
    best: dict[int, tuple[int, ...]] = {0: ()}
    for place, size in enumerate(sizes):
        for total, some in list(best.items()):
            if total + size <= room:
                more = (*some, place)
                best[total + size] = min(best.get(total + size, more), more)
    return best[max(best)]
