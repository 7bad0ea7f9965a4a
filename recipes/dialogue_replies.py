"""Make the vectors of the replies that were written for Affetto anew, beside their table `generate/replies.tsv`.

    python -m recipes.dialogue_replies

Wanted where the table, or the network `dialogue.reply`, has changed. Seconds on one core.
"""

from affetto.core.catalog import load
from affetto.generate import bank


def main() -> None:
    """Make and write them."""
    made = bank.written(load("dialogue.reply"))
    made.save(bank.WRITTEN.with_suffix(".npz"))
    print(f"{len(made)} replies written for Affetto")


if __name__ == "__main__":
    main()
