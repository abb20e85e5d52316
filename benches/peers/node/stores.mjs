// What the service keeps, in SQLite or PostgreSQL; what returns is durable.
import { randomBytes } from 'node:crypto';
import Sqlite from 'better-sqlite3';
import pg from 'pg';

export const REFUSED = 'refused';
export const REUSED = 'reused';
export const REPLAY = 'replay';

const SCHEMA = [
  'CREATE TABLE vehicles (vehicle_id UUID PRIMARY KEY, path TEXT NOT NULL, suspended_at BIGINT)',
  `CREATE TABLE grants (grant_id UUID PRIMARY KEY, vehicle_id UUID NOT NULL REFERENCES vehicles, user_id TEXT NOT NULL,
    not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, revoked_at BIGINT, uses BIGINT NOT NULL, uses_max BIGINT)`,
  `CREATE TABLE commands (command_id UUID PRIMARY KEY, grant_id UUID NOT NULL, vehicle_id UUID NOT NULL, user_id TEXT NOT NULL,
    idempotency_key TEXT NOT NULL, request_hash BYTEA NOT NULL, action TEXT NOT NULL, status TEXT NOT NULL,
    created_at BIGINT NOT NULL, changed_at BIGINT NOT NULL, UNIQUE (user_id, idempotency_key))`,
  'CREATE INDEX commands_by_vehicle ON commands (vehicle_id, command_id)',
  `CREATE TABLE audit (entry_id UUID PRIMARY KEY, at BIGINT NOT NULL, event TEXT NOT NULL, command_id UUID NOT NULL,
    grant_id UUID, vehicle_id UUID, user_id TEXT, details TEXT NOT NULL)`,
  'CREATE INDEX audit_by_vehicle ON audit (vehicle_id, entry_id)',
];

const CLAIM = `revoked_at IS NULL AND suspended_at IS NULL AND (uses_max IS NULL OR uses < uses_max)`;

// UUIDv7: newer ids are greater, so indexes grow at their end.
let pool = Buffer.alloc(0);
export function newId() {
  if (pool.length < 10) pool = randomBytes(10 * 1024);
  const random = pool.subarray(0, 10);
  pool = pool.subarray(10);
  random[0] = (random[0] & 0x0f) | 0x70;
  random[2] = (random[2] & 0x3f) | 0x80;
  const text = Date.now().toString(16).padStart(12, '0') + random.toString('hex');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}

const details = (command) => JSON.stringify({ action: command.action, status: command.status });

// What a request means whose idempotency key is known.
function repeated(command, row) {
  if (!command.requestHash.equals(row.request_hash)) return REUSED;
  command.id = row.command_id;
  command.status = row.status;
  return REPLAY;
}

// At most `batch` operations share a transaction; 1 is a transaction for each.
export function openSqlite(path, batch) {
  const db = new Sqlite(path);
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON', 'cache_size = -32768',
    'wal_autocheckpoint = 8192', 'temp_store = MEMORY']) db.pragma(pragma);
  for (const text of SCHEMA) db.exec(text);
  const find = db.prepare('SELECT command_id, request_hash, status FROM commands WHERE user_id = ? AND idempotency_key = ?');
  const read = db.prepare(`SELECT path FROM grants JOIN vehicles USING (vehicle_id)
    WHERE grant_id = ? AND vehicle_id = ? AND user_id = ? AND not_before <= ? AND ? < not_after AND ${CLAIM}`);
  const spend = db.prepare('UPDATE grants SET uses = uses + 1 WHERE grant_id = ?');
  const insert = db.prepare('INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const change = db.prepare(`UPDATE commands SET status = ?, changed_at = ? WHERE command_id = ? AND status = 'sending'`);
  const audit = db.prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?)');

  const audited = (c, event) => audit.run(newId(), c.at, event, c.id, c.grant, c.vehicle, c.user, details(c));
  const authorized = (c) => {
    const row = find.get(c.user, c.key);
    if (row !== undefined) return repeated(c, row);
    const car = read.get(c.grant, c.vehicle, c.user, c.at, c.at);
    if (car === undefined) return REFUSED;
    c.path = car.path;
    spend.run(c.grant);
    insert.run(c.id, c.grant, c.vehicle, c.user, c.key, c.requestHash, c.action, c.status, c.at, c.at);
    audited(c, 'command.authorized');
    return undefined;
  };
  const settled = (c) => {
    change.run(c.status, c.at, c.id);
    audited(c, `command.${c.status}`);
  };

  let waiting = [];
  const transaction = db.transaction((taken) => taken.map(({ run, command }) => run(command)));
  const write = () => {
    const taken = waiting.splice(0, batch);
    if (waiting.length > 0) setImmediate(write);
    try {
      const verdicts = transaction.immediate(taken);
      taken.forEach(({ resolve }, place) => resolve(verdicts[place]));
    } catch (error) {
      taken.forEach(({ reject }) => reject(error));
    }
  };
  const queued = (run) => (command) => new Promise((resolve, reject) => {
    waiting.push({ run, command, resolve, reject });
    // Once everything is read that has arrived, so that it shares the transaction.
    if (waiting.length === 1) setImmediate(write);
  });
  return {
    create: async () => {},
    issue: async (grant, vehicle, carPath) => {
      db.prepare('INSERT INTO vehicles VALUES (?, ?, NULL)').run(vehicle, carPath);
      db.prepare(`INSERT INTO grants VALUES (?, ?, 'guest', 0, 9000000000000000, NULL, 0, NULL)`).run(grant, vehicle);
    },
    authorize: queued(authorized),
    finish: queued(settled),
  };
}

// Each of the two transactions is one statement and one trip, prepared by its name.
export function openPostgres(connectionString) {
  const connections = new pg.Pool({ connectionString, max: 16 });
  const ask = (name, text) => (...values) => connections.query({ name, text, values });
  const authorize = ask('authorize', `WITH g AS (
      UPDATE grants SET uses = uses + 1 FROM vehicles v
      WHERE grant_id = $1 AND grants.vehicle_id = $2 AND v.vehicle_id = $2 AND user_id = $3 AND not_before <= $4 AND $4 < not_after AND ${CLAIM}
        AND NOT EXISTS (SELECT 1 FROM commands WHERE user_id = $3 AND idempotency_key = $5)
      RETURNING v.path),
    c AS (INSERT INTO commands SELECT $6, $1, $2, $3, $5, $7, $8, $11, $4, $4 FROM g),
    a AS (INSERT INTO audit SELECT $9, $4, 'command.authorized', $6, $1, $2, $3, $10 FROM g)
    SELECT path FROM g`);
  const find = ask('find', 'SELECT command_id, request_hash, status FROM commands WHERE user_id = $1 AND idempotency_key = $2');
  const finish = ask('finish', `WITH c AS (UPDATE commands SET status = $2, changed_at = $3
      WHERE command_id = $1 AND status = 'sending' RETURNING command_id, grant_id, vehicle_id, user_id)
    INSERT INTO audit SELECT $4, $3, $5, command_id, grant_id, vehicle_id, user_id, $6 FROM c`);
  return {
    create: async () => {
      for (const text of SCHEMA) await connections.query(text);
    },
    issue: async (grant, vehicle, path) => {
      await connections.query('INSERT INTO vehicles VALUES ($1, $2, NULL)', [vehicle, path]);
      await connections.query(`INSERT INTO grants VALUES ($1, $2, 'guest', 0, 9000000000000000, NULL, 0, NULL)`, [grant, vehicle]);
    },
    authorize: async (c) => {
      let failed;
      try {
        const { rows } = await authorize(c.grant, c.vehicle, c.user, c.at, c.key, c.id, c.requestHash, c.action, newId(), details(c), c.status);
        if (rows.length > 0) {
          c.path = rows[0].path;
          return undefined;
        }
      } catch (error) {
        failed = error;
      }
      const { rows } = await find(c.user, c.key);
      if (rows.length > 0) return repeated(c, rows[0]);
      if (failed) throw failed;
      return REFUSED;
    },
    finish: (c) => finish(c.id, c.status, c.at, newId(), `command.${c.status}`, details(c)),
  };
}
