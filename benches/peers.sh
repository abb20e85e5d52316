# The peers of Keylend, sourced by scripts/bench after stage.sh: programs in Go and Node that do the same
# unlock as good developers write it without Keylend (benches/peers). They are built and installed
# in target/bench-peers, from Go's modules and npm.

peers=$PWD/target/bench-peers

# install_peers: leaves in $go_missing and $node_missing why they cannot be measured; empty if they can.
install_peers() {
  echo "installing the peers in $peers"
  mkdir -p "$peers/go" "$peers/node"
  go_missing='Go is not installed'
  if command -v go > /dev/null; then
    go_missing=''
    (cd benches/peers/go && CGO_ENABLED=1 timeout 600 go build -o "$peers/go/" ./service ./rows) > "$work/go.log" 2>&1 || {
      cat "$work/go.log" >&2
      go_missing='Go does not build it; see above'
    }
  fi
  node_missing='Node or npm is not installed'
  if command -v node > /dev/null && command -v npm > /dev/null; then
    node_missing=''
    install_node > "$work/npm.log" 2>&1 || {
      cat "$work/npm.log" >&2
      node_missing='npm does not install it; see above'
    }
  fi
}

# better-sqlite3 is compiled if no binary of it can be fetched, with the headers of this Node if they are here.
install_node() {
  local wish=benches/peers/node headers
  headers=$(dirname "$(dirname "$(realpath "$(command -v node)")")")
  cp "$wish"/*.mjs "$peers/node/" || return 1
  ! cmp --silent "$wish/package-lock.json" "$peers/node/installed" || return 0
  cp "$wish/package.json" "$wish/package-lock.json" "$peers/node/" || return 1
  [[ ! -f $headers/include/node/node.h ]] || export npm_config_nodedir=$headers
  timeout 600 npm ci --prefix "$peers/node" --no-audit --no-fund --loglevel=error || return 1
  cp "$wish/package-lock.json" "$peers/node/installed"
}

# peer_rows DATABASE NAME MISSING DATABASE_URL BATCH COMMAND…: unlocks through a peer at 1, 16 and 64
# connections, with a simulator of its own.
peer_rows() {
  local database=$1 name=$2 missing=$3 url=$4 batch=$5 port c
  shift 5
  if [[ -n $missing ]]; then
    report unlock "$database" "$name" '' "missing=$missing"
    return
  fi
  folder=$(mktemp -d "$work/peer-XXXXXX")
  start_cloud
  python3 benches/prepare.py cloud "$cloud_url" "$folder"
  port=$(free_port)
  service_url=http://127.0.0.1:$port
  DB=$url BATCH=$batch CLOUD=$cloud_url CARS=$folder/cars.keys KEYS=$folder/unlock.keys PORT=$port \
    start "peer-$port" "$@"
  service_pid=$started
  if wait_for "peer-$port" "$service_url/readyz" 60; then
    for c in 1 16 64; do
      report unlock "$database" "$name" "$c" "$(unlocks "$c")"
    done
  else
    report unlock "$database" "$name" '' 'missing=it does not start; see above'
  fi
  stop_keylend
}

# row_work DATABASE DATABASE_URL: the rows of Keylend's gate alone, in the database that its service left.
row_work() {
  local name='row work alone, one writer, batches of 32' rate=missing=$go_missing load=''
  if [[ -z $go_missing ]]; then
    load=64
    rate=requests_per_s=$("$peers/go/rows" "$2" "$seconds" 32 | sed -n 's/^unlocks_per_s=//p')
  fi
  report unlock "$1" "$name" "$load" "$rate"
}

measure_peers() {
  local node=(node "$peers/node/server.mjs") go=$peers/go/service
  if [[ $1 == SQLite ]]; then
    peer_rows SQLite 'Go, a transaction each' "$go_missing" "sqlite:$work/go-1.db" 1 "$go"
    peer_rows SQLite 'Go, group commit' "$go_missing" "sqlite:$work/go-128.db" 128 "$go"
    peer_rows SQLite 'Node, a transaction each' "$node_missing" "sqlite:$work/node-1.db" 1 "${node[@]}"
    peer_rows SQLite 'Node, group commit' "$node_missing" "sqlite:$work/node-128.db" 128 "${node[@]}"
  else
    peer_rows PostgreSQL 'Go, a statement for each transaction' "$go_missing" "$(pg_database go_1)" 1 "$go"
    peer_rows PostgreSQL 'Go, group commit' "$go_missing" "$(pg_database go_128)" 128 "$go"
    peer_rows PostgreSQL 'Node, a statement for each transaction' "$node_missing" "$(pg_database node)" 1 "${node[@]}"
  fi
}
