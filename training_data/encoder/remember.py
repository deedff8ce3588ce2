"""Encode every text of ``training_data/`` once, so that neither a first training nor a test waits minutes for it.

python training_data/encoder/remember.py        (after a change of the texts or of the encoder; about two minutes on two cores)
"""

from __future__ import annotations

import numpy as np

from model.encoder import ENCODER, Encoder
from model.files.tables import read_arrays
from model.lexicon import TRAINING_DATA
from model.training import VECTORS, Sources
from model.vectors import Vectors


def main() -> None:
    """Write ``vectors.npz``: a digest and a vector (float16) a text, in the order of the digests."""
    encoder = Encoder(read_arrays(ENCODER))
    vectors = Vectors(encoder)
    vectors.learn(Sources.of(encoders=[encoder]).texts)
    digests = sorted(vectors.known)
    np.savez_compressed(
        TRAINING_DATA / VECTORS,
        encoder=np.array(encoder.name),
        digests=np.array([np.frombuffer(digest, np.uint8) for digest in digests]),
        vectors=np.array([vectors.known[digest] for digest in digests]),
    )


if __name__ == "__main__":
    main()
