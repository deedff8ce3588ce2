"""Teach the sentence encoder what people mean: contrastive fine-tuning on the phrases, pairs and competencies of this project.

    python training_data/encoder/finetune.py base.npz encoder.npz        (needs torch; about half an hour on two cores)

Each batch pairs gap texts with other texts of one of their competencies: the course title written for them, its name, definition or
aliases, a title or a phrase of another author. Everything else in the batch is a negative unless it shares a competency. Half of a
batch comes from two areas at a time, because neighbouring competencies are the hard negatives. Word vectors stay as they are, so
that words nobody trained on keep their place. Only ``phrases/train`` and ``pairs/train`` are read: neither the author passes kept for calibration
and validation, nor the judged texts, nor the bundled courses they were judged on.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import torch
from network import E5
from torch import Tensor
from torch.nn import functional

from model.competence import UNANSWERABLE, Phrase, load_pairs, load_phrases
from model.lexicon import Lexicon, load_lexicon

EPOCHS, PAIRS, RATE, TEMPERATURE, WARM_UP = 5, 64, 5e-5, 0.05, 40
OWN_TITLE = 0.5  # How often a text with a title of its own is paired with it.
LONGEST = 48  # Characters of a text that are read while training.
CHUNK = 32  # Texts of like length computed together.


def texts(lexicon: Lexicon) -> tuple[list[Phrase], int, dict[int, int]]:
    """Every labelled text, the gap texts first; how many gap texts there are; the place of a gap text's own title."""
    phrases = [phrase for phrase in load_phrases("train") if UNANSWERABLE not in phrase.competencies]
    pairs = load_pairs("train")
    gaps = phrases + [text for text, _ in pairs]
    own = {len(phrases) + number: len(gaps) + number for number in range(len(pairs))}
    items = gaps + [title for _, title in pairs]
    for competency in lexicon.competencies:
        name = (competency.name,)
        listed = "、".join([competency.name, *competency.aliases[:6]])
        for author, text in (("name", competency.name), ("definition", competency.definition), ("aliases", listed)):
            items.append(Phrase(text, name, "canonical", author))
    return items, len(gaps), own


def encoded(network: E5, batch: list[str]) -> Tensor:
    """Vectors of length 1 in single precision, in order; texts of like length are computed together, to pad little."""
    order = sorted(range(len(batch)), key=lambda place: len(batch[place]))
    found = []
    for start in range(0, len(order), CHUNK):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found.append(network(*network.batch([batch[place] for place in order[start : start + CHUNK]])))
    back = torch.empty(len(order), dtype=torch.long)
    back[torch.tensor(order)] = torch.arange(len(order))
    return functional.normalize(torch.cat(found).float(), dim=1)[back]


def main(base: Path, out: Path) -> None:
    """Train and write."""
    torch.manual_seed(0)
    dice = random.Random(0)
    lexicon = load_lexicon()
    items, gaps, own = texts(lexicon)
    teaching: dict[str, list[int]] = {}
    areas: dict[str, list[int]] = {}
    for number, item in enumerate(items):
        for competency in item.competencies[:2]:
            teaching.setdefault(competency, []).append(number)
        if number < gaps:
            areas.setdefault(lexicon.by_name[item.competencies[0]].area, []).append(number)

    def partner(number: int) -> int:
        if number in own and dice.random() < OWN_TITLE:
            return own[number]
        competencies = items[number].competencies
        wanted = competencies[0] if dice.random() < 0.8 else dice.choice(competencies)
        others = [other for other in teaching[wanted] if items[other].author != items[number].author]
        return dice.choice(others or teaching[wanted])

    network = E5.load(base, dropout=0.1)
    network.embeddings.requires_grad_(False)
    learned = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.01)
    steps = int(EPOCHS * gaps / PAIRS)
    pace = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / WARM_UP, max(0.05, 1 - step / steps))
    )
    network.train()
    deck: list[int] = []
    for step in range(1, steps + 1):
        if len(deck) < PAIRS:
            deck += dice.sample(range(gaps), gaps)
        hard = dice.choices(list(areas), weights=[len(numbers) for numbers in areas.values()], k=2)
        anchors = [deck.pop() for _ in range(PAIRS // 2)] + [
            dice.choice(areas[dice.choice(hard)]) for _ in range(PAIRS // 2)
        ]
        batch = anchors + [partner(number) for number in anchors]
        vectors = encoded(network, [items[number].text[:LONGEST] for number in batch])
        labels = [set(items[number].competencies) for number in batch]
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
