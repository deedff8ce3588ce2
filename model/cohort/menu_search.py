"""The program of a menu -> the best seating found in time, and how near to the best it is.

A program is solved first with seats that may be shared out in fractions, which bounds what any answer is worth; then with whole seats for the
sessions of that answer, which is quick and mostly near enough; else as a whole in the time that is left.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf

import numpy as np
import scipy.sparse as sp

from model.cohort.demand import TEN_THOUSANDTHS
from model.cohort.menu_program import MenuProblem
from model.cohort.nouns import Certificate
from model.cohort.program import FEASIBLE, OPTIMAL, SAME, Clock, Effort, Impossible, Program, Rule, Vector
from model.cohort.seating import Seating
from model.errors import InputError


@dataclass(frozen=True)
class Solved:
    """Who sits where, how good that is, and whether it is proved that nobody more could be covered."""

    seating: Seating
    certificate: Certificate
    covers_most: bool


def solve(problem: MenuProblem, effort: Effort, clock: Clock) -> Solved:
    """The best seating found within the seconds of the effort; raises Impossible where none keeps the rules."""
    if not problem.seats:
        raise Impossible(["有场次能坐满开班人数并补上短板"], ["减小最少开班人数，或放宽学时、授课方式和课程范围"])
    if idle := sorted(problem.pinned - set(problem.places)):
        titles = "".join(f"《{problem.demand.choices[place].title}》" for place in idle)
        raise Impossible(
            [f"{titles}必须开设，且来听的人有短板要靠它补、人数达到开班人数"],
            [f"不要求必须开设{titles}", "减小最少开班人数，或放宽学时"],
        )
    start, program, covers_most = clock(), problem.program(), True
    seatings = []

    def left() -> float:
        return effort.seconds - (clock() - start)

    def seated(x: Vector) -> Seating:
        taken = np.flatnonzero(x[2 * len(problem.places) : program.whole] > 0.5)
        return Seating(problem, [problem.seats[seat] for seat in taken]).tidy()

    people = problem.values({}, problem.people)
    try:
        if problem.asked.nobody_left:
            # Mostly everybody can be covered, and then nothing more has to be found out.
            everybody = Rule("不让一个掉队", "尽可能覆盖", people, low=len(problem.people))
            asked = replace(program, rules=(*program.rules, everybody))
            x, bound = None, inf
            with suppress(Impossible):
                x, bound = _search(problem, asked, Effort(0.7 * left(), effort.gap), clock)
            if x is not None:
                return _told(problem, [seated(x)], bound, effort, clock() - start, covers_most=True)
            # Nobody can be covered by halves, so less than one person from the bound is the best.
            enough = Effort(left() / 3, 0.999 / len(problem.people))
            x, most = _search(problem, replace(program, worth=people), enough, clock)
            if x is not None:
                seatings.append(seated(x))
                low = len(seatings[0].covered)
                program.rules = (*program.rules, Rule("不让一个掉队", "尽可能覆盖", people, low=low))
            covers_most = x is not None and most < low + 1 - SAME
        x, bound = _search(problem, program, Effort(left(), effort.gap), clock)
    except Impossible:
        raise _conflict(program, Effort(left(), effort.gap), clock) from None
    if x is not None:
        seatings.append(seated(x))
    if not seatings:
        raise InputError(f"在 {effort.seconds:g} 秒内没有找到任何方案，请把求解时间（--time-limit）放宽。")
    return _told(problem, seatings, bound, effort, clock() - start, covers_most=covers_most)


def _told(
    problem: MenuProblem, seatings: list[Seating], bound: float, effort: Effort, seconds: float, *, covers_most: bool
) -> Solved:
    """The best of the seatings with its certificate."""
    best = max(seatings, key=lambda seating: seating.worth)
    ideal = sum(max(gain.values(), default=0) for gains in problem.gains.values() for gain in gains)
    objective = round(best.worth / TEN_THOUSANDTHS, 4)
    most = max(objective, round(min(bound, ideal) / TEN_THOUSANDTHS, 4))
    near = covers_most and most - objective <= effort.gap * objective + 1 / TEN_THOUSANDTHS
    return Solved(best, Certificate(OPTIMAL if near else FEASIBLE, objective, most, seconds), covers_most)


def _search(problem: MenuProblem, program: Program, effort: Effort, clock: Clock) -> tuple[Vector | None, float]:
    """The best answer of a program that is found in time, if any, and a bound that none exceeds; raises Impossible, naming no rules."""
    start, sessions, bare = clock(), 2 * len(problem.places), _without_names(program)
    found: list[tuple[Vector, Certificate]] = []
    bound = inf

    def attempt(asked: Program, share: float, gap: float) -> tuple[Vector, Certificate] | None:
        try:
            return asked.solve(Effort(max(0.1, share * (effort.seconds - (clock() - start))), gap), clock)
        except Impossible:
            raise
        except InputError:
            return None

    def among(most: Vector, share: float) -> None:
        """Look for an answer that holds no more than ``most`` of each session: seats in fractions first, then whole."""
        nonlocal bound
        # With whole seats, or these sessions alone, somebody may be left out; that there is no answer is believed of the whole program only.
        with suppress(Impossible):
            some = replace(bare, most=np.concatenate([most, program.most[sessions:]]))
            relaxed = attempt(replace(some, whole=sessions), share, 0.5 * effort.gap)
            if relaxed:
                if most is whatever:
                    bound = min(bound, relaxed[1].bound)
                held = np.concatenate([np.round(relaxed[0][:sessions]), program.most[sessions:]])
                found.extend(filter(None, [attempt(replace(bare, most=held), 0.5, 0.25 * effort.gap)]))

    def near() -> bool:
        return any(bound - one.objective <= effort.gap * one.objective for _, one in found)

    whatever = program.most[:sessions]
    # Of a thousand sessions that could be held, fractions pick nearly those that the best answer holds.
    fractions = bare.relaxed(0.6 * (effort.seconds - (clock() - start)))
    if fractions:
        bound = fractions[1]
        among(np.where(fractions[0][:sessions] > SAME, whatever, 0.0), 0.5)
    if not near():
        among(whatever, 0.6)
    if not near():
        whole = attempt(bare, 1.0, effort.gap)
        if whole:
            found.append(whole)
            bound = min(bound, whole[1].bound)
    best = max(found, key=lambda answer: answer[1].objective, default=None)
    return (best[0] if best else None), bound


def _conflict(program: Program, effort: Effort, clock: Clock) -> Impossible:
    """Which rules contradict each other: the fewest, where the time is enough to find out."""
    # It takes a program for each rule, and up to two for each cure.
    each = max(0.1, effort.seconds / (3 * len(program.rules) + 1))
    try:
        program.solve(replace(effort, seconds=each), clock)
    except Impossible as told:
        return told
    except InputError:
        pass
    return Impossible([rule.told for rule in program.rules], [])


def _without_names(program: Program) -> Program:
    """The same program with its rules as structure."""
    rows = [(-rule.row, -rule.low) if rule.low > -np.inf else (rule.row, rule.high) for rule in program.rules]
    structure = [(sp.csr_matrix(row), np.array([limit])) for row, limit in rows]
    return replace(program, structure=[*program.structure, *structure], rules=())
