"""BibTeX entries: read from what plugins supply, and written so that LaTeX can do no harm by them.

Grammar: O. Patashnik, BibTeXing, 1988 (btxdoc), section 2.2; without `@string` and concatenation.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pdebench_lite.analysis.wording import clean
from pdebench_lite.report._latex import escape

_KINDS = frozenset({
    "article", "book", "booklet", "conference", "inbook", "incollection", "inproceedings", "manual",
    "mastersthesis", "misc", "phdthesis", "proceedings", "techreport", "unpublished",
})  # fmt: skip
_NO_ENTRIES = ("comment", "preamble", "string")
_VERBATIM = frozenset({"doi", "url", "eprint", "archiveprefix", "primaryclass", "isbn", "issn"})
_TEXT_WORDS = frozenset({
    "c", "v", "u", "H", "d", "b", "r", "k", "t",  # accents
    "ss", "o", "O", "aa", "AA", "ae", "AE", "oe", "OE", "l", "L", "i", "j",
    "S", "P", "TeX", "LaTeX", "emph", "textit", "textbf", "textsc", "texttt", "textrm", "textsf",
    "textsuperscript", "textsubscript", "textendash", "textemdash", "textbackslash",
    "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar", "ldots",
    "textbraceleft", "textbraceright",
})  # fmt: skip
_MATH_WORDS = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "iota",
    "kappa", "lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "varphi",
    "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Phi", "Psi",
    "Omega", "infty", "partial", "nabla", "times", "cdot", "pm", "leq", "geq", "approx", "circ",
    "to", "ell", "mathrm", "mathbf", "mathcal", "mathbb", "mathit",
})  # fmt: skip
_SYMBOLS = "\"'`^~=.&%$_#{}-/, "  # after a backslash: accents, signs and spaces
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_ESCAPED = {"%": r"\%", "#": r"\#", "&": r"\&"}


@dataclass(frozen=True)
class Entry:
    """One entry: its kind in lower case, its key, its fields as TeX."""

    kind: str
    key: str
    fields: Mapping[str, str]

    def same_work(self, other: "Entry") -> bool:
        """Say whether two entries mean one work: the same DOI, or the same fields."""
        mine, its = (e.fields.get("doi", "").lower() for e in (self, other))
        return mine == its if mine and its else _bare(self.fields) == _bare(other.fields)

    def renamed(self, key: str) -> "Entry":
        """Return the entry under another key."""
        return replace(self, key=key)

    def write(self) -> str:
        """Return the entry as BibTeX; a field a line."""
        fields = [f"  {name} = {{{value}}}" for name, value in self.fields.items()]
        return "@" + self.kind + "{" + ",\n".join([self.key, *fields]) + "\n}\n"


def _bare(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: re.sub(r"[\s{}]+", "", value).lower() for name, value in fields.items()}


def parse(text: str) -> list[Entry]:
    """Read the entries of a text; what stands between them is a comment, as in BibTeX.

    Names are reduced to harmless characters, and values to text that LaTeX sets: commands other
    than accents, signs and emphasis lose their backslash.

    Raises:
        ValueError: an entry is malformed; the message says how.
    """
    entries = []
    at = text.find("@")
    while at >= 0:
        head = re.compile(r"@\s*(\w+)\s*\{").match(text, at)
        if head is None:
            raise ValueError(f"no entry begins at '{text[at : at + 20]}'")
        body, at = _braced(text, head.end() - 1)
        kind = head[1].lower()
        if kind not in _NO_ENTRIES:
            entries.append(_entry(kind, body))
        at = text.find("@", at)
    return entries


def _braced(text: str, start: int) -> tuple[str, int]:
    """Return what stands between a brace and its partner, and the place behind that."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return text[start + 1 : i], i + 1
    raise ValueError(f"a brace is not closed: '{text[start : start + 30]}'")


def _entry(kind: str, body: str) -> Entry:
    key, comma, rest = body.partition(",")
    if not key.strip() or "=" in key:
        raise ValueError(f"an entry has no key: '{body[:30]}'")
    fields = {}
    for name, value in _fields(rest if comma else ""):
        if name not in fields:  # BibTeX too takes the first
            fields[name] = verbatim(value) if name in _VERBATIM else harmless(value)
    return Entry(kind if kind in _KINDS else "misc", safe_key(key), fields)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    name = re.compile(r"[\s,]*([A-Za-z][\w-]*)\s*=\s*")
    while match := name.match(text, at):
        at = match.end()
        if text[at : at + 1] == "{":
            value, at = _braced(text, at)
        elif text[at : at + 1] == '"':
            value, at = _quoted(text, at)
        else:
            word = re.compile(r"\w+").match(text, at)
            if word is None:
                raise ValueError(f"the field {match[1]} has no value")
            value, at = word[0], word.end()
        yield match[1].lower(), value
    if text[at:].strip(" \t\r\n,"):
        raise ValueError(f"no field begins at '{text[at:].strip()[:30]}'")


def _quoted(text: str, start: int) -> tuple[str, int]:
    depth = 0
    for i in range(start + 1, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth < 0:
            break
        if text[i] == '"' and depth == 0:
            return text[start + 1 : i], i + 1
    raise ValueError(f"a quote is not closed: '{text[start : start + 30]}'")


def safe_key(text: str) -> str:
    """Return a citation key of ASCII letters, digits and `:._+-`, whatever the text holds."""
    key = re.sub(r"[^A-Za-z0-9:._+-]+", "-", text.strip()).strip("-")
    return key or "unnamed"


def verbatim(value: str) -> str:
    """Return a value that is not TeX, such as a DOI: printable ASCII without TeX's own signs."""
    return "".join(re.findall(r"[!-~]", re.sub(r"[\\{}^~]", "", value)))


def plain(text: str) -> str:
    """Return any text as TeX whose braces are balanced, which BibTeX counts by their sign alone."""
    braces = {r"\{": r"\textbraceleft{}", r"\}": r"\textbraceright{}"}
    return re.sub(r"\\[{}]", lambda found: braces[found[0]], escape(text))


def harmless(value: str) -> str:
    """Return TeX in which only accents, signs, emphasis and simple mathematics are commands.

    Args:
        value: TeX with balanced braces.
    """
    tokens = _TOKEN.findall(" ".join(clean(value).split()))
    mathematics = tokens.count("$") % 2 == 0
    inside, parts = False, []
    for token in tokens:
        if token == "$" and mathematics:
            inside = not inside
            parts.append(token)
        else:
            parts.append(_token(token, inside))
    return "".join(parts).replace("^^", "^{}^")  # ^^ names any character, a backslash too


def _token(token: str, inside: bool) -> str:
    if len(token) > 1:
        word = token[1:]
        known = word in _SYMBOLS or word in (_MATH_WORDS if inside else _TEXT_WORDS)
        if known or (word.isalpha() and word.isascii()):
            return token if known else word
        return escape(word) if word.isascii() else _sign(word, inside)
    if token in _ESCAPED:
        return _ESCAPED[token]
    if token in "_^":
        return token if inside else escape(token)
    if token == "$":
        return r"\$"
    if token == "\\":  # the last character
        return escape(token)
    if token.isascii():
        return token
    return _sign(token, inside)


def _sign(character: str, inside: bool) -> str:
    """Return a character beyond ASCII as TeX, in text or inside of mathematics."""
    sign = escape(character)
    return "{" + (sign.strip("$") if inside else sign) + "}"
