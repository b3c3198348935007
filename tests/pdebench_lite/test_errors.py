"""Messages of errors: one line, the nearest name, no list that nobody reads to its end."""

from pdebench_lite.errors import PdebenchError, unknown_name


def test_an_unknown_name_comes_with_the_nearest_and_all_that_exist() -> None:
    error = unknown_name("fruit", "aple", ["pear", "apple"])
    assert str(error) == "unknown fruit 'aple'; did you mean 'apple'? (known: apple, pear)"
    assert "did you mean 'apple'?" in str(unknown_name("fruit", "APPLE", ["pear", "apple"]))
    assert str(unknown_name("fruit", "aple", [])) == "unknown fruit 'aple' (there are none)"


def test_of_many_names_the_nearest_are_listed() -> None:
    names = [f"toy[n={n}]" for n in range(100)]
    message = str(unknown_name("problem", "toy[n=42", names))
    assert "did you mean 'toy[n=42]'? (known: toy[n=42], " in message
    assert message.count("toy[") == 1 + 1 + 12, "what was typed, the nearest, and a dozen"
    assert message.endswith(" and 88 more)")
    far = str(unknown_name("problem", "?", names))
    assert far.startswith("unknown problem '?' (known: toy[n=0], toy[n=10], ")
    assert far.endswith(" and 88 more)")


def test_a_message_is_one_visible_line() -> None:
    assert str(PdebenchError("a\n b\x1b[31m")) == "a b?[31m"
