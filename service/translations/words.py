"""The catalogue of the pages' words, written anew: what stands in the sources is found, what was translated is kept, what is gone is left out.

``make words`` runs this; whoever changes the words of a page then fills in what it names as missing in ``en/LC_MESSAGES/messages.po`` and runs it
again.
"""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

FOLDER = Path(__file__).parent
SERVICE = FOLDER.parent
FILE = "messages"
SOURCES = [
    ("pages/**.py", "python"),
    ("api/**.py", "python"),
    ("wire/**.py", "python"),
    ("templates/**.html", "jinja2"),
]
HEADER = "# The words of the pages in another language. `make words` writes this file anew and keeps what stands after msgstr."
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "marked": None}


def found() -> Catalog:
    """Every word of the pages, with the files it stands in."""
    words = Catalog()
    for file, _, message, comments, _ in extract_from_dir(SERVICE, SOURCES, keywords=KEYWORDS):
        words.add(message, locations=[(f"service/{Path(file).as_posix()}", 0)], auto_comments=comments)
    return words


def kept(language: str) -> Catalog:
    """The catalogue of a language as it lies in its file; an empty one where there is none yet."""
    path = place(language)
    if not path.exists():
        return Catalog(locale=language)
    return read_po(BytesIO(path.read_bytes()), locale=language)


def place(language: str) -> Path:
    """The file of a language."""
    return FOLDER / language / "LC_MESSAGES" / f"{FILE}.po"


def renewed(language: str) -> Catalog:
    """What is found, with the translations that are known."""
    known = kept(language)
    words = Catalog(language, header_comment=HEADER, project="quebu", version="", charset="utf-8", fuzzy=False)
    words.msgid_bugs_address = words.last_translator = words.language_team = ""
    for message in sorted(found(), key=lambda one: (min(one.locations, default=("", 0))[0], str(one.id))):
        if message.id:
            before = known.get(message.id)
            files = sorted(set(message.locations))
            words.add(message.id, before.string if before else "", locations=files, flags=message.flags)
    words.creation_date = words.revision_date = known.creation_date
    return words


def missing(words: Catalog) -> list[str]:
    """What has no translation yet."""
    return [str(message.id) for message in words if message.id and not message.string]


def as_po(words: Catalog) -> bytes:
    """A catalogue as the text that people edit."""
    content = BytesIO()
    write_po(content, words, width=0, omit_header=False, include_lineno=False)
    return content.getvalue()


def as_mo(words: Catalog) -> bytes:
    """A catalogue as the pages read it."""
    content = BytesIO()
    write_mo(content, words)
    return content.getvalue()


def main() -> int:
    """Write the catalogues anew, and name what is missing."""
    short = 0
    for path in sorted(FOLDER.glob("*/LC_MESSAGES")):
        language = path.parent.name
        words = renewed(language)
        place(language).write_bytes(as_po(words))
        place(language).with_suffix(".mo").write_bytes(as_mo(words))
        wanting = missing(words)
        short += len(wanting)
        for text in wanting:
            sys.stdout.write(f"{language}: {text}\n")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
