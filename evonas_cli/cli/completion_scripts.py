"""The scripts by which bash, zsh and fish complete lines of `evonas`, and where they are installed."""

from __future__ import annotations

import os
from pathlib import Path

from evonas_cli.core.errors import EnvironmentFailure, UsageError

BASH = r"""_evonas_completion() {
    mapfile -t COMPREPLY < <(
        _EVONAS_LINE="${COMP_LINE:0:COMP_POINT}" _EVONAS_BREAKS="${COMP_WORDBREAKS//[^=:]/}" "$1" 2>/dev/null
    )
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[=.] ]]; then
        compopt -o nospace
    fi
}
complete -o bashdefault -o default -F _evonas_completion evonas
"""
ZSH = r"""#compdef evonas
_evonas() {
    local -a found
    found=("${(@f)$(_EVONAS_LINE="${(j: :)words[1,CURRENT]}" $words[1] 2>/dev/null)}")
    found=(${found:#})
    if (( ! ${#found} )); then
        _files
        return
    fi
    compadd -S '' -- ${(M)found:#*[=.]}
    compadd -- ${found:#*[=.]}
}
if [[ $funcstack[1] == _evonas ]]; then  # loaded by the first Tab, which this call answers
    _evonas "$@"
else
    compdef _evonas evonas
fi
"""
FISH = r"""function __evonas_completion
    set -l found (env _EVONAS_LINE=(commandline -cp | string collect) evonas 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c evonas -f -a '(__evonas_completion)'
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
_PLACES = {
    "bash": (".bash_completions/evonas.sh", ".bashrc", "source ~/.bash_completions/evonas.sh"),
    "zsh": (".zfunc/_evonas", ".zshrc", "fpath+=~/.zfunc; autoload -Uz compinit; compinit"),
    "fish": (".config/fish/completions/evonas.fish", None, None),
}
"""Below the home folder: the script, the file that a shell reads when it starts, and the line that this one needs."""


def shell() -> str:
    """The user's shell. Raises UsageError for one without a script."""
    name = os.path.basename(os.environ.get("SHELL", ""))
    if name not in SCRIPTS:
        known, remedy = ", ".join(SCRIPTS), "SHELL=bash evonas --install-completion"
        raise UsageError(f"SHELL is {name or 'not set'}; name one of {known}, e.g. {remedy}")
    return name


def install(name: str) -> Path:
    """Writes the script of a shell into the home folder, where the shell finds it; its path.

    Raises EnvironmentFailure.
    """
    place, start, line = _PLACES[name]
    path = Path.home() / place
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SCRIPTS[name])
        if start is not None and line is not None:
            file = Path.home() / start
            before = file.read_text() if file.exists() else ""
            if line not in before.splitlines():
                file.write_text(f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n")
    except OSError as error:
        raise EnvironmentFailure(f"cannot write {error.filename or path}: {error.strerror}") from error
    return path
