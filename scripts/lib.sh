# Sourced by quickstart, test and bench, from the project's folder.

# An ordinary user's PATH has no sbin, where dockerd, ip and iptables are.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
BUN=node_modules/.bin/bun
TOOLS=build/tools

say() { printf '%s\n' "$*"; }

die() {
  printf '%s\n' "$*" >&2
  exit 1
}

# Whether as_root will work; asks for the password once, where there is somebody to ask.
can_be_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || return
  sudo -n true 2>/dev/null && return
  [ -t 0 ] && sudo -v
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# has_all COMMAND...
has_all() {
  local command
  for command in "$@"; do command -v "$command" >/dev/null || return 1; done
}

# install_packages REASON PACKAGE...: says so, then installs; exits with what to do where it cannot.
install_packages() {
  local reason=$1
  shift
  say "$reason: installing the Debian packages $* (with apt-get, as root)."
  command -v apt-get >/dev/null || die "There is no apt-get here. Install $* by hand, then run this again."
  can_be_root || die "Neither root nor sudo is at hand. Have an administrator run:
    apt-get install $*
then run this again."
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Static busybox makes an image without a registry. The one of Debian's package `busybox` will not do.
has_static_busybox() {
  [ -x "$TOOLS/bin/busybox" ] || { [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; }
}

# unpack_package PACKAGE: into build/tools, so that the machine gets no service and no conflict of it.
unpack_package() {
  say "Unpacking the Debian package $1 into $TOOLS."
  command -v apt-get >/dev/null || die "There is no apt-get here. Install $1 by hand, then run this again."
  if ! apt-cache show "$1" >/dev/null 2>&1; then
    can_be_root || die "apt knows no package $1 yet. Have an administrator run apt-get update."
    as_root apt-get update -qq
  fi
  local folder
  folder=$(mktemp -d)
  (cd "$folder" && apt-get download -qq "$1" 2>/dev/null) || die "Cannot download the Debian package $1."
  mkdir -p "$TOOLS"
  dpkg -x "$folder"/*.deb "$TOOLS"
  rm -rf "$folder"
  # Debian 13 keeps its programs in /usr/bin alone.
  mkdir -p "$TOOLS/bin"
  [ ! -x "$TOOLS/usr/bin/busybox" ] || cp "$TOOLS/usr/bin/busybox" "$TOOLS/bin/busybox"
}

# The npm packages of package-lock.json, Bun among them.
install_npm_packages() {
  [ -x "$BUN" ] && [ ! package-lock.json -nt node_modules/.package-lock.json ] && return
  mkdir -p build
  say "Installing the npm packages of package-lock.json into node_modules (npm ci)."
  npm ci --no-fund --no-audit --loglevel=error 2>build/npm-ci.log && return
  # npm ci refuses a lock file without the packages of other platforms, which some registries lack.
  say "npm ci did not work (see build/npm-ci.log): trying npm install, by the same lock file."
  npm install --no-save --no-fund --no-audit --loglevel=error
}

# dist/fastlane, when it is missing or older than what it is made of.
build_binary() {
  if [ -x dist/fastlane ] &&
    [ -z "$(find src drizzle licenses scripts/build* scripts/licenses.ts scripts/parts package.json package-lock.json -newer dist/fastlane -print -quit)" ]; then
    return
  fi
  say "Building dist/fastlane."
  bash scripts/build
}
