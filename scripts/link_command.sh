#!/bin/sh
# `install` puts a link to the command into ~/.local/bin, `uninstall` takes it
# away. What lies there and is not ours is left alone.
set -eu

unset CDPATH
cd -P -- "$(dirname -- "$0")/.."
command=$(pwd -P)/.venv/bin/ops-atomic
folder=${HOME:?}/.local/bin
link=$folder/ops-atomic

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

is_ours() {
    [ -L "$link" ] || return 1
    case $(readlink -- "$link") in
        */.venv/bin/ops-atomic) ;;
        *) return 1 ;;
    esac
}

case ${1:-} in
    install)
        if { [ -e "$link" ] || [ -L "$link" ]; } && ! is_ours; then
            fail "$link is another program: move it away, then make install again"
        fi
        mkdir -p "$folder"
        # A new link takes the old one's place in one step.
        ln -s "$command" "$link.new.$$"
        mv -f "$link.new.$$" "$link"
        echo "✓ Linked $link to $command"
        case :$PATH: in
            *:"$folder":*) ;;
            *)
                echo "  $folder is not on your PATH; add this line to your shell's profile:"
                # shellcheck disable=SC2016 # it is for the profile to expand
                echo '    export PATH="$HOME/.local/bin:$PATH"'
                ;;
        esac
        ;;
    uninstall)
        if is_ours; then
            rm -- "$link"
            echo "✓ Removed $link"
        elif [ -e "$link" ] || [ -L "$link" ]; then
            fail "$link is another program: left alone"
        else
            echo "⊘ Not installed: $link"
        fi
        ;;
    *)
        echo "usage: link_command.sh install | uninstall" >&2
        exit 2
        ;;
esac
