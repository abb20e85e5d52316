# What the measuring scripts share, sourced by them in the top folder of the repository: processes that
# end with the script, a PostgreSQL as durable as in production, a service with a simulator beside it,
# a load, and a table.

seconds=${BENCH_SECONDS:-5}
connections=${BENCH_CONNECTIONS:-64}
cars=${BENCH_CARS:-64}
threads=2
built=target/${BENCH_PROFILE:-dist}
floors=$built/examples/floors
keylend=$built/keylend

# --- processes -----------------------------------------------------------------------------

work=''
pids=()
pg_folder=''
pg_bin=''

limit_pid=''

finish() {
  local pid
  [[ -z $limit_pid ]] || kill -0 "$limit_pid" 2> /dev/null || echo 'bench: ended, because it took too long' >&2
  for pid in "${pids[@]}"; do stop "$pid"; done
  [[ -z $pg_folder ]] || pg_stop
  [[ -z $work ]] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
work=$(mktemp -d "${TMPDIR:-/var/tmp}/keylend-bench-XXXXXX")
# PostgreSQL's user has to pass through to its own folder.
chmod 711 "$work"

# start NAME COMMAND…: runs it in the background with its output in $work/NAME.log; its process
# id is in $started.
start() {
  local name=$1
  shift
  "$@" > "$work/$name.log" 2>&1 &
  started=$!
  pids+=("$started")
}

# stop PID: ends it and waits for its end. Without effect if it has ended already.
stop() {
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# limit_minutes COUNT: ends the script, and with it all that it started, if it takes longer.
limit_minutes() {
  start limit python3 -c 'import os, signal, sys, time
time.sleep(60 * int(sys.argv[1]))
os.kill(int(sys.argv[2]), signal.SIGTERM)' "$1" "$$"
  limit_pid=$started
}

# wait_for NAME URL [SECONDS]: until the URL answers; fails with the log if NAME ends or is late.
wait_for() {
  local name=$1 url=$2 left=$((${3:-20} * 20))
  until curl --silent --fail --output /dev/null "$url"; do
    left=$((left - 1))
    if [[ $left -le 0 ]] || ! kill -0 "$started" 2>/dev/null; then
      echo "bench: $name does not answer on $url:" >&2
      cat "$work/$name.log" >&2
      return 1
    fi
    sleep 0.05
  done
}

# start_floor NAME ARGUMENTS…: starts a floor on a free port; its URL is in $url.
start_floor() {
  local name=$1 left=200
  start "$@"
  until url=$(sed -n 's/^listening on //p' "$work/$name.log" 2>/dev/null) && [[ -n $url ]]; do
    left=$((left - 1))
    if [[ $left -le 0 ]]; then
      echo "bench: $name does not start:" >&2
      cat "$work/$name.log" >&2
      return 1
    fi
    sleep 0.05
  done
}

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# --- PostgreSQL, as durable as in production -------------------------------------------------

pg_programs() {
  local initdb
  initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
  [[ -x $initdb ]] || initdb=$(command -v initdb) || {
    echo 'bench: no PostgreSQL server; run scripts/install-test-tools' >&2
    return 1
  }
  dirname "$(realpath "$initdb")"
}

# PostgreSQL refuses to be root.
as_postgres() {
  if [[ $(id -u) -eq 0 ]]; then
    (cd / && setpriv --reuid=postgres --regid=postgres --init-groups env LC_ALL=C "$@")
  else
    LC_ALL=C "$@"
  fi
}

# Leaves the server's socket folder in $pg_folder and its port in $pg_port. fsync stays on, and
# the folder lies on a disk, not in memory: a floor without durability would be no floor.
pg_start() {
  pg_bin=$(pg_programs)
  pg_port=$(free_port)
  pg_folder=$work/pg
  mkdir -m 700 "$pg_folder"
  [[ $(id -u) -ne 0 ]] || chown postgres: "$pg_folder"
  as_postgres "$pg_bin/initdb" --pgdata "$pg_folder/data" --username keylend --encoding UTF8 \
    --locale C --auth trust > "$work/initdb.log" 2>&1 || { cat "$work/initdb.log" >&2; return 1; }
  as_postgres "$pg_bin/pg_ctl" start --wait --silent --pgdata "$pg_folder/data" \
    --log "$pg_folder/log" --options "-k $pg_folder -p $pg_port -c listen_addresses= \
      -c fsync=on -c synchronous_commit=on -c shared_buffers=256MB -c max_connections=200" \
    > /dev/null || { cat "$pg_folder/log" >&2; return 1; }
}

pg_stop() {
  as_postgres "$pg_bin/pg_ctl" stop --wait --silent --mode fast --pgdata "$pg_folder/data" || true
  pg_folder=''
}

pg_sql() {
  "$pg_bin/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 --host "$pg_folder" --port "$pg_port" \
    --username keylend --dbname "$@"
}

# pg_database NAME: makes it and prints its URL.
pg_database() {
  pg_sql postgres --command "CREATE DATABASE $1" >&2
  echo "postgres://keylend@localhost:$pg_port/$1?host=$pg_folder"
}

# --- measuring -------------------------------------------------------------------------------

# load SCRIPT URL: prints the script's line of key=value pairs, after a short warm-up.
load() {
  local out
  wrk -t "$threads" -c "$connections" -d 1s -s "$1" "$2" > /dev/null
  out=$(wrk -t "$threads" -c "$connections" -d "${seconds}s" -s "$1" "$2")
  grep '^requests_per_s=' <<< "$out" || { echo "$out" >&2; return 1; }
}

# value KEY PAIRS: one value out of a line of key=value pairs.
value() {
  sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" <<< "$2"
}

row() {
  printf '%-44s %12s %9s %9s %8s %8s\n' "$@"
}

# --- Keylend -----------------------------------------------------------------------------------

# start_keylend VERSIONS DATABASE_URL: a service on a fresh database and a simulator of their own,
# with these versions of Smartcar's API between the two, and grants for every car. Leaves their
# addresses in $service_url and $cloud_url, their process ids in $service_pid and $cloud_pid, the keys of
# the load in $folder, and how long the service took to be ready in $ready_ms.
start_keylend() {
  folder=$(mktemp -d "$work/keylend-XXXXXX")
  export KEYLEND_DATABASE_URL=$2 KEYLEND_LOG=warn KEYLEND_SMARTCAR_API_VERSIONS=$1
  # The budget of a car and the pace of a person are not what is measured.
  export KEYLEND_CALLER_REQUESTS_BURST=1000000000
  export KEYLEND_GRANT_REQUESTS_BURST=${KEYLEND_GRANT_REQUESTS_BURST:-1000000000}
  export KEYLEND_VEHICLE_REQUESTS_BURST=100000000 KEYLEND_APPLICATION_REQUESTS_BURST=100000000
  local service_port
  start_cloud
  service_port=$(free_port)
  service_url=http://127.0.0.1:$service_port
  export KEYLEND_LISTEN=127.0.0.1:$service_port
  export KEYLEND_KEY_FILE=$folder/keylend.keys KEYLEND_SIMULATOR_URL=$cloud_url
  "$keylend" migrate > /dev/null
  "$keylend" admin create --organization Bench --email admin@bench.example --password-stdin \
    <<< 'a password for benchmarks only' > /dev/null
  start_service
  python3 benches/prepare.py "$service_url" "$cloud_url" "$folder"
}

# start_cloud: a simulator with $cars cars, at $cloud_url; its process id is in $cloud_pid.
start_cloud() {
  local port
  port=$(free_port)
  cloud_url=http://127.0.0.1:$port
  start "simulate-$port" "$keylend" simulate --listen "127.0.0.1:$port" --vehicles "$cars" --auto-approve
  cloud_pid=$started
  wait_for "simulate-$port" "$cloud_url/_sim/vehicles"
}

# start_service: the service that start_keylend has set up, again after it was stopped.
start_service() {
  local began
  began=$(date +%s%N)
  start "serve-${service_url##*:}" "$keylend" serve
  service_pid=$started
  wait_for "serve-${service_url##*:}" "$service_url/readyz"
  ready_ms=$((($(date +%s%N) - began) / 1000000))
}

stop_keylend() {
  stop "$service_pid"
  stop "$cloud_pid"
}

# unlocks CONNECTIONS: unlocks through the service for $seconds; prints the pairs.
unlocks() {
  connections=$1 threads=$(($1 < 2 ? 1 : 2)) UNLOCK_KEYS=$folder/unlock.keys \
    UNLOCK_THREADS=$(($1 < 2 ? 1 : 2)) UNLOCK_RUN=$(date +%s%N) load benches/unlock.lua "$service_url"
}

# memory_mb PID, peak_memory_mb PID: what a process has resident, and the most it ever had.
memory_mb() {
  awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"
}

peak_memory_mb() {
  awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"
}

# cpu_ms PID…: the processor time that processes have used so far.
cpu_ms() {
  local pid total=0
  for pid in "$@"; do
    total=$((total + $(awk '{ print $14 + $15 }' "/proc/$pid/stat" 2> /dev/null || echo 0)))
  done
  echo $((total * 1000 / $(getconf CLK_TCK)))
}

# inspect WHAT: asks the database itself; see benches/ask_database.py.
inspect() {
  PG_BIN=$pg_bin python3 benches/ask_database.py "$KEYLEND_DATABASE_URL" "$@"
}

must_be_there() {
  if ! command -v wrk > /dev/null; then
    echo 'bench: wrk is missing (on Debian: apt-get install wrk)' >&2
    exit 1
  fi
  if [[ ! -x $floors ]]; then
    echo "bench: $floors is missing; make bench builds it" >&2
    exit 1
  fi
}
