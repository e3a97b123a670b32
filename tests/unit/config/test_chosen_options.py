"""Options that come with others: a data set or strategy may choose what fits, and the command line still decides."""

from __future__ import annotations

import pytest

from evonas_cli.config.compose import compose

TABLE = ("dataset=csv", "dataset.path=a.csv", "dataset.target=b")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (TABLE, {"space": "mlp", "trainer": "adamw", "strategy": "nsga2"}),
        ((*TABLE, "trainer=sgd"), {"space": "mlp", "trainer": "sgd"}),
        ((*TABLE, "space=nasbench201"), {"space": "nasbench201", "trainer": "adamw"}),
        ((*TABLE, "trainer.epochs=3"), {"space": "mlp", "trainer": "adamw"}),
        (("job=language",), {"space": "rnn_cell", "trainer": "language", "dataset": "copy"}),
        (("job=landscape", "space=bits"), {"space": "bits", "evaluator": "serial"}),
        (("strategy=codeepneat",), {"space": "codeepneat", "dataset": "digits"}),
        (("strategy=population_based_training",), {"space": "hyperparameters"}),
        (("strategy=neat",), {"space": "neurons", "job": "neurons_evolved", "dataset": "xor_corners"}),
        (("strategy=neat", "job=control"), {"space": "neurons", "job": "control"}),
        (
            ("strategy=backprop_neat", "dataset=circles"),
            {"space": "neurons_backprop", "job": "neurons", "dataset": "circles"},
        ),
    ],
)
def test_an_option_chooses_others_unless_they_are_chosen(words: tuple[str, ...], expected: dict[str, str]) -> None:
    choices = compose(words).choices
    assert {group: choices[group] for group in expected} == expected


def test_keys_of_a_chosen_option_can_be_set() -> None:
    config = compose([*TABLE, "trainer.learning_rate=0.5"]).config
    assert config["trainer"]["learning_rate"] == 0.5 and config["trainer"]["optimizer"] == "adamw"
