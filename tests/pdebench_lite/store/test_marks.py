"""What two fingerprints say of each other: file by file, and those of earlier versions."""

from pdebench_lite.store.marks import by_package, changed_marks, other_sources

OLD = {"pdebench_methods": "aaa", "pdebench_lite": "bbb", "torch": "2.13"}
MLP = {"pdebench_methods/mlp.py": "111", "pdebench_methods/training.py": "222", "torch": "2.13"}
PINN = {"pdebench_methods/pinn.py": "333", "pdebench_methods/training.py": "222", "torch": "2.12"}


def test_files_that_only_one_reached_make_no_difference() -> None:
    assert other_sources(MLP, PINN) == []
    other = {**PINN, "pdebench_methods/training.py": "444"}
    assert other_sources(MLP, other) == ["pdebench_methods"]
    assert other_sources(MLP, {"own.py": "1", "/data/d.hdf5": "2"}) == []
    assert other_sources({"own.py": "1"}, {"own.py": "2"}) == ["own"]


def test_a_package_that_was_marked_as_a_whole_is_another_source() -> None:
    assert other_sources(OLD, MLP) == other_sources(MLP, OLD) == ["pdebench_methods"]
    assert other_sources(OLD, {**OLD, "torch": "2.12"}) == []
    assert other_sources(OLD, {**OLD, "pdebench_lite": "ccc"}) == ["pdebench_lite"]


def test_packages_have_one_mark_where_people_read_them() -> None:
    short = by_package({**MLP, "d.hdf5": "abc"})
    assert set(short) == {"pdebench_methods", "torch", "d.hdf5"}
    assert short["torch"] == "2.13"
    assert len(short["pdebench_methods"]) == 12
    assert short["pdebench_methods"] != by_package(PINN)["pdebench_methods"]
    assert by_package(OLD) == OLD


def test_what_has_changed() -> None:
    assert changed_marks(MLP, MLP) == ""
    assert changed_marks(OLD, {**OLD, "torch": "2.14"}) == "torch 2.13 -> 2.14"
    assert changed_marks(MLP, PINN) == (
        "pdebench_methods/mlp.py gone, pdebench_methods/pinn.py new, torch 2.13 -> 2.12"
    )
    many = {f"own/{i}.py": "1" for i in range(9)}
    assert changed_marks(many, dict.fromkeys(many, "2")) == (
        "own/0.py, own/1.py, own/2.py and 6 more changed"
    )
    assert changed_marks(OLD, {**MLP, "pdebench_lite/view.py": "5"}) == (
        "pdebench_lite, pdebench_methods marked as a whole, by an earlier version"
    )
