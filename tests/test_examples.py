"""Every example in a docstring runs, and prints what it says."""

import doctest
import importlib
import pkgutil

import pytest

import cbam_np

MODULES = [name for _, name, _ in pkgutil.walk_packages(cbam_np.__path__, "cbam_np.") if not name.endswith("__main__")]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
FINDER = doctest.DocTestFinder(exclude_empty=True)
EXAMPLES = [
    test
    for name in sorted({"cbam_np", *MODULES})
    for test in FINDER.find(importlib.import_module(name), name)
    if test.examples
]


def run(test):
    """Run the examples of a docstring; return what went wrong, as text."""
    said = []
    doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False)
    return "".join(said)


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_examples_print_what_they_say(test):
    assert run(test) == ""


@pytest.mark.parametrize(
    ("example", "fault"), [(">>> 1 + 1\n3\n", "Expected:\n    3"), (">>> nonsense\n", "NameError")]
)
def test_a_wrong_example_is_noticed(example, fault):
    test = doctest.DocTestParser().get_doctest(example, {}, "planted", None, 0)
    assert fault in run(test)


def test_examples_are_found():
    assert {test.name for test in EXAMPLES} >= {
        "cbam_np.data.cifar10.load_cifar10",
        "cbam_np.data.shapes.make_shapes",
        "cbam_np.data.labelled.LabelledImages",
        "cbam_np.train.pretrained.load_pretrained",
    }
