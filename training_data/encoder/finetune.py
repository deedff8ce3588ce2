"""Teach the sentence encoder what people mean: contrastive fine-tuning on the phrases, competencies and courses of this project.

    python training_data/encoder/finetune.py base.npz encoder.npz        (needs torch; about 30 minutes on two cores)

Each batch pairs phrases with other texts of one of their competencies: its name, definition or aliases, a course that teaches it (by title,
or by title and summary), a phrase of another author. Everything else in the batch is a negative unless it shares a competency. Half of
a batch comes from two areas at a time, because neighbouring competencies are the hard negatives. Word vectors stay as they
are, so that words nobody trained on keep their place. Only author passes of ``phrases/train`` are read.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import torch
from network import E5
from torch.nn import functional

from model.competence import UNANSWERABLE, load_phrases
from model.courselists import read_catalog
from model.lexicon import TRAINING_DATA, Lexicon, load_lexicon
from model.tables import read_sheets

EPOCHS, PAIRS, RATE, TEMPERATURE, WARM_UP = 2.5, 64, 6e-5, 0.05, 20
LONGEST = 60  # Characters of a text that are read while training.

Item = tuple[str, tuple[str, ...], str]  # A text, its competencies, who wrote it.


def texts(lexicon: Lexicon) -> tuple[list[Item], int]:
    """Every labelled text, the phrases first; and how many phrases there are."""
    items: list[Item] = [
        (p.text, p.competencies, p.author) for p in load_phrases("train") if UNANSWERABLE not in p.competencies
    ]
    phrases = len(items)
    for competency in lexicon.competencies:
        name = (competency.name,)
        items += [(competency.name, name, "name"), (competency.definition, name, "definition")]
        items.append(("、".join([competency.name, *competency.aliases[:6]]), name, "aliases"))
    for course in read_catalog(read_sheets(TRAINING_DATA / "courses.csv"), lexicon)[0]:
        items += [
            (course.title, course.competencies, "title"),
            (f"{course.title}。{course.summary}", course.competencies, "summary"),
        ]
    return items, phrases


def main(base: Path, out: Path) -> None:
    """Train and write."""
    torch.manual_seed(0)
    dice = random.Random(0)
    lexicon = load_lexicon()
    items, phrases = texts(lexicon)
    teaching: dict[str, list[int]] = {}
    areas: dict[str, list[int]] = {}
    for number, (_, competencies, _) in enumerate(items):
        for competency in competencies[:2]:
            teaching.setdefault(competency, []).append(number)
        if number < phrases:
            areas.setdefault(lexicon.by_name[competencies[0]].area, []).append(number)

    def partner(number: int) -> int:
        competencies = items[number][1]
        wanted = competencies[0] if dice.random() < 0.8 else dice.choice(competencies)
        others = [other for other in teaching[wanted] if items[other][2] != items[number][2]]
        return dice.choice(others or teaching[wanted])

    network = E5.load(base, dropout=0.1)
    network.embeddings.requires_grad_(False)
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.01)
    steps = int(EPOCHS * phrases / PAIRS)
    pace = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / WARM_UP, max(0.05, 1 - step / steps))
    )
    network.train()
    deck: list[int] = []
    for step in range(1, steps + 1):
        if len(deck) < PAIRS:
            deck += dice.sample(range(phrases), phrases)
        hard = dice.choices(list(areas), weights=[len(numbers) for numbers in areas.values()], k=2)
        anchors = [deck.pop() for _ in range(PAIRS // 2)] + [
            dice.choice(areas[dice.choice(hard)]) for _ in range(PAIRS // 2)
        ]
        batch = anchors + [partner(number) for number in anchors]
        vectors = network(*network.batch([items[number][0][:LONGEST] for number in batch]))
        labels = [set(items[number][1]) for number in batch]
        target = torch.cat([torch.arange(PAIRS, 2 * PAIRS), torch.arange(PAIRS)])
        hidden = torch.tensor([[bool(one & other) for other in labels] for one in labels])
        hidden[torch.arange(2 * PAIRS), target] = False
        hidden.fill_diagonal_(True)
        loss = functional.cross_entropy((vectors @ vectors.T / TEMPERATURE).masked_fill(hidden, -1e9), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        pace.step()
        if step % 20 == 0:
            sys.stderr.write(f"step {step} of {steps}, loss {loss.item():.3f}\n")
    network.save(out, "int8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
