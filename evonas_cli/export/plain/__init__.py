"""Parts of the exported file `model.py`: plain functions without evonas, of which `export/source.py` copies the text.

A name with an annotation and no value is a constant that the exported file defines. evonas uses the functions of
`classes`, `labels` and `numbers` itself; raw inputs it reads by `data`, with more words for what is wrong in them.
"""
