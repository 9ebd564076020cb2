#!/bin/sh
# Sets up a machine for Bareboat: system packages, what rootless Podman needs, the virtual environment. Then examines
# it. Run it as often as you like: it does only what is missing, upgrades nothing, and asks for sudo only when it must.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
changed=false

say() { printf 'setup: %s\n' "$*"; }

have() { command -v "$1" >/dev/null 2>&1; }

# Runs a step whose output matters only when it fails.
quietly() {
    if "$@" >"$log" 2>&1 </dev/null; then return 0; fi
    say "this failed: $*"
    tail -n 20 "$log"
    return 1
}

may_be_root() { [ "$(id -u)" -eq 0 ] || have sudo; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# --- system packages -------------------------------------------------------------------------------------------------

find_manager() {
    for name in dnf pacman apt-get brew; do
        if have "$name"; then
            echo "$name"
            return
        fi
    done
    echo none
}

# The packages that hold a tool, as this machine's package manager calls them; nothing where it has none.
packages_of() {
    case $manager:$1 in
    apt-get:newuidmap) echo uidmap ;;
    apt-get:qemu-img) echo qemu-utils ;;
    dnf:qemu-x86_64-static) echo qemu-user-static-x86 ;;
    brew:qemu-x86_64-static) ;;
    *:qemu-x86_64-static) echo qemu-user-static ;;
    *:nft) echo nftables ;;
    *:qemu-img) if [ "$manager" = brew ]; then echo qemu; else echo qemu-img; fi ;;
    brew:podman | brew:git) echo "$1" ;;
    brew:python3) echo python@3.12 ;;
    brew:debugfs) echo e2fsprogs ;;
    brew:dpkg-deb) echo dpkg ;;
    brew:*) ;;
    dnf:newuidmap) echo shadow-utils ;;
    pacman:newuidmap) echo shadow ;;
    *:debugfs) echo e2fsprogs ;;
    *:dpkg-deb) echo dpkg ;;
    *:apt-get) echo apt ;;
    *:setpriv) echo util-linux ;;
    *:pasta) echo passt ;;
    dnf:keyring) echo debian-keyring ;;
    *:keyring) echo debian-archive-keyring ;;
    apt-get:python3) echo python3 python3-venv ;;
    dnf:python3) echo python3.11 ;;
    pacman:python3) echo python ;;
    # A registry for the tests only.
    apt-get:docker-registry) echo docker-registry ;;
    *:docker-registry) ;;
    *) echo "$1" ;;
    esac
}

missing=''

need() {
    missing="$missing $(packages_of "$1")"
}

need_command() {
    have "$1" || need "$1"
}

# Podman's helpers are in folders of its own.
find_helper() {
    for folder in /usr/libexec/podman /usr/lib/podman /usr/local/libexec/podman /usr/local/lib/podman; do
        if [ -x "$folder/$1" ]; then
            echo "$folder/$1"
            return 0
        fi
    done
    command -v "$1"
}

need_helper() {
    find_helper "$1" >/dev/null || need "$1"
}

# By which command netavark sets its rules, it says itself; one that does not say knows iptables only.
need_firewall() {
    netavark=$(find_helper netavark) || return 0
    case $("$netavark" version 2>/dev/null || true) in
    *'"default_fw_driver": "nftables"'*) need_command nft ;;
    *'"default_fw_driver": "none"'*) ;;
    *) need_command iptables ;;
    esac
}

need_network() {
    case $(podman --version 2>/dev/null || true) in
    *' 4.'*) need_command slirp4netns ;;
    *' '[5-9].*) need_command pasta ;;
    *)
        need_command slirp4netns
        need_command pasta
        ;;
    esac
}

list_missing() {
    need_command podman
    for tool in git qemu-img debugfs dpkg-deb; do need_command "$tool"; done
    environment_is_ready || [ -n "$(find_python)" ] || need python3
    if [ "$(uname)" != Linux ]; then return 0; fi
    # crun refuses a cgroup tree that is not v2 alone.
    if ! { have crun && [ -f /sys/fs/cgroup/cgroup.controllers ]; }; then need_command runc; fi
    for tool in newuidmap setpriv strace mmdebstrap apt-get docker-registry; do need_command "$tool"; done
    # Tells which CPU level a program needs.
    if [ "$(uname -m)" = x86_64 ]; then need_command qemu-x86_64-static; fi
    need_network
    need_helper netavark
    need_helper aardvark-dns
    need_firewall
    set -- /usr/share/keyrings/debian-archive-keyring.*
    [ -e "$1" ] || need keyring
}

install_missing() {
    list_missing
    install_listed
    case $missing in
    *netavark*)
        # Only once netavark is there can it say what it needs.
        missing=''
        need_firewall
        if [ -n "$missing" ]; then install_listed; fi
        ;;
    esac
}

install_listed() {
    # Word by word, which also drops the blanks of what has no package here.
    # shellcheck disable=SC2086
    set -- $missing
    if [ $# -eq 0 ]; then
        say 'system packages: nothing is missing'
        return 0
    fi
    if [ "$manager" = none ]; then
        say "no apt-get, dnf, pacman or brew here: please install $*"
        return 0
    fi
    if [ "$manager" != brew ] && ! may_be_root; then
        say "only root can install $*: please have that done (no sudo here)"
        return 0
    fi
    say "system packages: installing $* ($manager)"
    changed=true
    "install_by_$(echo "$manager" | tr -d -)" "$@"
}

install_by_aptget() {
    # The tests start a registry of their own; the package's service need not run.
    case " $* " in
    *' docker-registry '*) if [ -d /run/systemd/system ]; then quietly as_root systemctl mask docker-registry; fi ;;
    esac
    quietly as_root apt-get update -q || say 'the package lists are as old as they were; going on'
    quietly as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -q -y --no-install-recommends --no-upgrade "$@"
}

install_by_dnf() { quietly as_root dnf install -y --setopt=install_weak_deps=False "$@"; }

install_by_pacman() { quietly as_root pacman -S --needed --noconfirm "$@"; }

install_by_brew() { quietly brew install "$@"; }

# --- rootless Podman -------------------------------------------------------------------------------------------------

# The first id that no line of the files reaches.
free_id() {
    cat /etc/subuid /etc/subgid 2>/dev/null |
        awk -F: 'BEGIN { first = 100000 } NF == 3 && $2 + $3 > first { first = $2 + $3 } END { print first }'
}

has_ids() { grep -q -e "^$user:" -e "^$number:" /etc/subuid 2>/dev/null && grep -q -e "^$user:" -e "^$number:" /etc/subgid; }

# $1: the range's ids, $2: the user. Running Podman processes of that user know the old ranges.
give_ids() {
    first=$(free_id)
    last=$((first + 65535))
    say "giving $user the ids $first-$last in /etc/subuid and /etc/subgid"
    changed=true
    quietly as_root usermod --add-subuids "$first-$last" --add-subgids "$first-$last" "$user"
    if [ "$(id -u)" -ne 0 ]; then quietly podman system migrate || true; fi
}

prepare_ids() {
    user=${SUDO_USER:-$(id -un)}
    number=$(id -u "$user")
    if [ "$number" -eq 0 ] || has_ids; then return 0; fi
    if may_be_root; then give_ids; else say "$user has no ids in /etc/subuid: only root can give them (no sudo here)"; fi
}

tun=/dev/net/tun

tun_is_open() {
    # Root looks at the mode, because it may open any file itself.
    [ -c "$tun" ] && [ -r "$tun" ] && [ -w "$tun" ] && [ -n "$(find "$tun" -perm -0006)" ]
}

open_tun() {
    if tun_is_open; then return 0; fi
    if ! may_be_root; then
        say "$tun is not open to everybody: only root can change that (no sudo here)"
        return 0
    fi
    say "opening $tun to every user, as udev does: rootless containers reach the network by it"
    changed=true
    [ -c "$tun" ] || quietly as_root modprobe tun || true
    if [ -c "$tun" ]; then quietly as_root chmod 0666 "$tun" || true; fi
}

prepare_rootless() {
    if [ "$(uname)" != Linux ]; then
        say 'Podman runs in a virtual machine here: podman machine init && podman machine start'
        return 0
    fi
    prepare_ids
    open_tun
}

# --- the virtual environment -----------------------------------------------------------------------------------------

stamp=.venv/bareboat-stamp

# What the environment was made of: another Python, other pins or another place make it stale.
describe_environment() {
    .venv/bin/python -c 'import sys; print(sys.version)' 2>/dev/null || echo none
    cat pins.txt
    pwd -P
    echo 'and a command'
}

environment_is_ready() { [ -f "$stamp" ] && [ "$(describe_environment)" = "$(cat "$stamp")" ]; }

# The system's own Python first: one built at home may be out of other users' reach.
find_python() {
    for candidate in /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return 0
        fi
    done
}

# The tasks of this checkout as a command for any folder; a link to it, in ~/.local/bin say, will do as well.
make_command() {
    pwd -P >"$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/bareboat.pth"
    cat >.venv/bin/bareboat <<'END'
#!/bin/sh
exec "$(dirname -- "$(readlink -f -- "$0")")/python" -P -m bareboat "$@"
END
    chmod +x .venv/bin/bareboat
}

make_environment() {
    if environment_is_ready; then
        say 'virtual environment: up to date'
        return 0
    fi
    python=$(find_python)
    if [ -z "$python" ]; then
        say 'no Python 3.11 or newer with its venv module is found'
        return 3
    fi
    say "virtual environment: installing $(grep -c == pins.txt) packages into .venv ($("$python" -V))"
    changed=true
    # Whatever is there was made of something else, or its making was interrupted.
    quietly "$python" -m venv --clear .venv
    quietly env PIP_USER=0 .venv/bin/python -m pip install \
        --no-cache-dir --no-deps --no-input --disable-pip-version-check -r pins.txt
    quietly .venv/bin/python -m pip check --disable-pip-version-check
    make_command
    describe_environment >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

# --- the image store --------------------------------------------------------------------------------------------------

# Told nothing, rootless Podman 4 makes a new store vfs; once it is overlay, whoever is not told so complains.
name_driver() {
    case $(podman --version 2>/dev/null || true) in *' 4.'*) ;; *) return 0 ;; esac
    file=$(.venv/bin/python -c 'import os
from bareboat.podman_engine.store import lacks_driver
print(lacks_driver(os.environ) or "")' 2>"$log") || return 0
    if [ -z "$file" ]; then return 0; fi
    say "naming the store's driver, overlay, in $file: without it plain podman would complain"
    mkdir -p "$(dirname "$file")"
    printf '[storage]\ndriver = "overlay"\n' >"$file"
}

manager=$(find_manager)
install_missing
prepare_rootless
make_environment
name_driver
if "$changed"; then
    say 'examining the machine'
    .venv/bin/invoke doctor
else
    say 'examining the machine (quick: the registries are left out)'
    .venv/bin/invoke doctor --quick
fi
say 'done. Next: .venv/bin/invoke build-matrix'
