"""The types that constructors state for their parameters."""

from __future__ import annotations

import typing
from typing import Any


def hints_of(constructor: Any) -> dict[str, Any]:
    """The type of each annotated parameter of a class, by name.

    A dataclass inherits fields of classes in other modules, whose names its own module need not know: the type of a
    field is read where the field is declared. Raises NameError for a name that its module does not know.
    """
    owner = next(cls for cls in constructor.__mro__ if "__init__" in vars(cls))
    generated = vars(owner).get("__dataclass_params__")
    return typing.get_type_hints(owner if generated is not None and generated.init else constructor.__init__)
