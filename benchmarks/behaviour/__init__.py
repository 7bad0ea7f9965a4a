"""The behaviour suite: what a text model must get right whatever its score, in the CheckList manner.

    python -m benchmarks.behaviour --model text.affect-en

`cases.toml` holds the templates, `cases` fills them in, `judge` looks at the answers.
"""
