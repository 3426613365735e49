# Runs the examples of one page as a new machine would: nothing of fastlane in /etc, /var/lib, /var/backups,
# /usr/local/bin and root's home, what is written there is gone afterwards; a network with port 10000 of its own; the
# engine at Docker's usual socket.
# Usage, as root: unshare --mount --net --pid --fork --mount-proc bash sandbox.sh ENGINE_SOCKET ROOT FOLDER
# FOLDER has the examples as N.sh, and gets what failed in `failures`: a line each, "N CODE COMMAND".
set -u
engine=$1 root=$2 folder=$3

mount --make-rprivate /
ip link set lo up
mkdir "$folder/over" && mount -t tmpfs sandbox "$folder/over"
for place in /etc /var/lib /var/backups /usr/local/bin /root; do
  [ -d "$place" ] || continue
  mkdir -p "$folder/over$place/upper" "$folder/over$place/work"
  mount -t overlay -o "lowerdir=$place,upperdir=$folder/over$place/upper,workdir=$folder/over$place/work" sandbox "$place"
done
rm -rf /etc/fastlane /var/lib/fastlane /root/.config/fastlane
mkdir -p /etc/fastlane
touch "$folder/socket" && mount --bind "$engine" "$folder/socket"
mount -t tmpfs -o mode=755 sandbox /run
touch /run/docker.sock && mount --bind "$folder/socket" /run/docker.sock
mkdir -p "$folder/bin" "$folder/work/dist"
ln -s "$root/node_modules" "$folder/work/node_modules"
ln -s "$root/docs" "$folder/work/docs"
ln -s "$root/dist/fastlane" "$folder/bin/fastlane"
ln -s "$root/dist/fastlane" "$folder/work/dist/fastlane"
# The tests may have unpacked promtool there.
export HOME=/root PATH=$folder/bin:$PATH:$root/build/tools/usr/bin
unset FASTLANE_URL FASTLANE_TOKEN DATABASE_URL
touch /etc/fastlane/fastlane.toml
cd "$folder/work"

start_server() {
  # Not the function below, whose process would be the shell.
  "$folder/bin/fastlane" up >>"$folder/server.log" 2>&1 &
  server=$!
  until command curl -fs localhost:10000/healthcheck/ >/dev/null; do
    kill -0 "$server" 2>/dev/null || return 1
    sleep 0.05
  done
}
stop_server() { kill "$server" && wait "$server"; }

# What a reader puts in for the words in capitals: the URLs of the last answer that had some.
filled() {
  local text=$1 name
  for name in EXECUTION_URL JOB_URL TASK_URL EXECUTION JOB DELIVERY_ID; do
    [ ! -f "$folder/$name" ] || text=${text//$name/$(cat "$folder/$name")}
  done
  printf %s "$text"
}
# An answer of 400 and above is a failure, as `curl` itself does not see it.
curl() {
  local words=() word answer code=0
  for word in "$@"; do words+=("$(filled "$word")"); done
  answer=$(command curl -sS --fail-with-body --max-time 30 "${words[@]}") || code=$?
  printf '%s\n' "$answer"
  remember "$answer"
  return $code
}
fastlane() {
  local words=() word
  for word in "$@"; do words+=("$(filled "$word")"); done
  command fastlane "${words[@]}"
}
dist/fastlane() { fastlane "$@"; }
node_modules/.bin/bun() {
  local words=() word
  for word in "$@"; do words+=("$(filled "$word")"); done
  command node_modules/.bin/bun "${words[@]}"
}
remember() {
  local pair
  for pair in executionUrl:EXECUTION_URL jobUrl:JOB_URL taskUrl:TASK_URL executionId:EXECUTION jobId:JOB; do
    [[ $1 =~ \"${pair%%:*}\":\"([^\"]+)\" ]] && printf %s "${BASH_REMATCH[1]}" >"$folder/${pair##*:}"
  done
  # The first of a list of deliveries.
  [[ $1 =~ \"items\":\[\{\"id\":\"([^\"]+)\",\"event\" ]] && printf %s "${BASH_REMATCH[1]}" >"$folder/DELIVERY_ID"
  return 0
}

# A unit's verbs, for the one service that there is here.
systemctl() {
  case $* in
    "start fastlane") start_server ;;
    "stop fastlane") stop_server ;;
    "restart fastlane") stop_server && start_server ;;
    "reload fastlane") kill -HUP "$server" ;;
    "status fastlane") kill -0 "$server" ;;
    *) command systemctl "$@" ;;
  esac
}
failed() { printf '%s %s %s\n' "$number" "$1" "${2%%$'\n'*}" >>"$folder/failures"; }

start_server || { number=0 failed 1 "fastlane up"; exit 1; }
set -E -o pipefail
for example in $(cd "$folder" && ls ./*.sh | sort -V); do
  number=$(basename "$example" .sh)
  echo "== $number"
  trap 'failed $? "$BASH_COMMAND"' ERR
  source "$folder/$example" </dev/null
  trap - ERR
done
# The rest ends with this process, which is the first of its namespace.
