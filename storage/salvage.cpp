#include "storage/salvage.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "storage/database.h"
#include "storage/field_codec.h"
#include "storage/files.h"
#include "storage/page_reader.h"
#include "storage/row_reader.h"

namespace paluku {
namespace {

struct Column {
  std::string name;
  std::string type;
  bool required = false;
  bool rowid = false;  // stands for the rowid; the record holds NULL in its place
};

struct Table {
  std::string name;
  std::vector<Column> columns;
};

std::vector<Table> ReadTables(SQLite::Database& connection) {
  std::vector<Table> tables;
  SQLite::Statement names(connection,
                          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                          "'sqlite_%'");
  while (names.executeStep()) tables.push_back({names.getColumn(0).getString(), {}});
  for (Table& table : tables) {
    SQLite::Statement columns(
        connection, "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?) ORDER BY cid");
    columns.bind(1, table.name);
    while (columns.executeStep()) {
      table.columns.push_back({columns.getColumn(0).getString(), columns.getColumn(1).getString(),
                               columns.getColumn(2).getInt() != 0,
                               columns.getColumn(3).getInt() != 0});
    }
  }
  return tables;
}

bool Fits(const Column& column, const RawValue& value) {
  using Kind = RawValue::Kind;
  if (column.rowid || value.kind == Kind::kNull) {
    return value.kind == Kind::kNull && (column.rowid || !column.required);
  }
  if (column.type == "INTEGER") return value.kind == Kind::kInteger;
  // SQLite stores a real without fraction as an integer.
  if (column.type == "REAL") return value.kind == Kind::kReal || value.kind == Kind::kInteger;
  return value.kind == (column.type == "TEXT" ? Kind::kText : Kind::kBlob);
}

bool Fits(const Table& table, const RawRow& row) {
  return std::equal(
      table.columns.begin(), table.columns.end(), row.values.begin(), row.values.end(),
      [](const Column& column, const RawValue& value) { return Fits(column, value); });
}

void BindValue(SQLite::Statement& statement, int index, const RawValue& value) {
  switch (value.kind) {
    case RawValue::Kind::kNull:
      statement.bind(index);
      break;
    case RawValue::Kind::kInteger:
      statement.bind(index, value.integer);
      break;
    case RawValue::Kind::kReal:
      statement.bind(index, value.real);
      break;
    case RawValue::Kind::kText:
      statement.bind(index, value.bytes);
      break;
    case RawValue::Kind::kBlob:
      statement.bind(index, value.bytes.data(), static_cast<int>(value.bytes.size()));
      break;
  }
}

// Writes rows of one table.
class Inserter {
 public:
  Inserter(SQLite::Database& connection, const Table& table)
      : table_(table), statement_(connection, InsertSql(table)) {}

  const Table& table() const { return table_; }

  // True when the row was taken; a second row of the same key is not.
  bool Insert(const RawRow& row) {
    // A damaged rowid may be one that is taken: the row then gets the next free one.
    return InsertWith(row, row.rowid) || InsertWith(row, std::nullopt);
  }

 private:
  static std::string InsertSql(const Table& table) {
    std::string names;
    std::string marks;
    for (const Column& column : table.columns) {
      names += (names.empty() ? "" : ", ") + column.name;
      marks += marks.empty() ? "?" : ", ?";
    }
    return "INSERT OR IGNORE INTO " + table.name + " (" + names + ") VALUES (" + marks + ")";
  }

  bool InsertWith(const RawRow& row, std::optional<std::int64_t> rowid) {
    statement_.reset();
    statement_.clearBindings();
    for (std::size_t i = 0; i < row.values.size(); ++i) {
      const int index = static_cast<int>(i) + 1;
      if (!table_.columns[i].rowid) {
        BindValue(statement_, index, row.values[i]);
      } else if (rowid) {
        statement_.bind(index, *rowid);
      }
    }
    return statement_.exec() > 0;
  }

  const Table& table_;
  SQLite::Statement statement_;
};

std::int64_t CopyRows(const PageReader& pages, SQLite::Database& connection) {
  const std::vector<Table> tables = ReadTables(connection);
  std::vector<std::unique_ptr<Inserter>> inserters;
  inserters.reserve(tables.size());
  for (const Table& table : tables) {
    inserters.push_back(std::make_unique<Inserter>(connection, table));
  }
  std::int64_t rows = 0;
  for (std::uint32_t number = 1; number <= pages.page_count(); ++number) {
    ForEachRow(pages, number, [&](const RawRow& row) {
      for (const auto& inserter : inserters) {
        if (!Fits(inserter->table(), row)) continue;
        rows += inserter->Insert(row) ? 1 : 0;
        break;
      }
    });
  }
  return rows;
}

// A message whose conversation was lost gets one of the same id with an empty title.
void RecreateConversations(SQLite::Database& connection) {
  SQLite::Statement lost(connection,
                         "SELECT conversation, min(created_ms), max(created_ms) FROM messages "
                         "WHERE conversation NOT IN (SELECT id FROM conversations) "
                         "GROUP BY conversation");
  SQLite::Statement insert(connection,
                           "INSERT INTO conversations (id, created_ms, updated_ms, title, "
                           "instruction, model, draft) VALUES (?, ?, ?, ?, ?, '', ?)");
  const FieldCodec codec;
  while (lost.executeStep()) {
    const std::string id = lost.getColumn(0).getString();
    insert.reset();
    insert.bind(1, id);
    insert.bind(2, lost.getColumn(1).getInt64());
    insert.bind(3, lost.getColumn(2).getInt64());
    int index = 4;
    for (const Field field : {Field::kTitle, Field::kInstruction, Field::kDraft}) {
      const std::string empty = codec.Seal({field, id, id}, "");
      insert.bind(index++, empty.data(), static_cast<int>(empty.size()));
    }
    insert.exec();
  }
}

// References to rows that were lost: a message without its parent becomes a root, a conversation
// without its leaf shows its last message. A parent always precedes its children (`seq`), so no
// damaged reference can make a circle.
void RepairReferences(SQLite::Database& connection) {
  RecreateConversations(connection);
  connection.exec(
      "UPDATE messages SET parent = NULL WHERE parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
      "messages AS up WHERE up.id = messages.parent AND up.conversation = messages.conversation "
      "AND up.seq < messages.seq);"
      "UPDATE conversations SET current_leaf = (SELECT id FROM messages WHERE conversation = "
      "conversations.id ORDER BY seq DESC LIMIT 1) WHERE current_leaf IS NULL OR NOT EXISTS "
      "(SELECT 1 FROM messages WHERE id = current_leaf AND conversation = conversations.id);");
}

// Builds the new database at `path`, with the schema the damaged one had as far as that is known,
// so that a salvaged old database goes through the same migrations as a sound one.
Result<std::int64_t> BuildSalvaged(const SalvageRequest& request, const PageReader& pages,
                                   const std::string& path) {
  PALUKU_ASSIGN_OR_RETURN(auto database,
                          Database::Open(path, Database::Mode::kReadWrite, request.vfs));
  const std::size_t version = pages.SchemaVersion();
  const bool known = version >= 1 && version <= request.migrations.size();
  PALUKU_TRY(Migrate(*database, known ? request.migrations.first(version) : request.migrations));
  PALUKU_ASSIGN_OR_RETURN(
      const std::int64_t rows,
      database->Write([&pages](SQLite::Database& connection) -> Result<std::int64_t> {
        connection.exec("PRAGMA defer_foreign_keys = ON");  // rows come in the order of pages
        const std::int64_t copied = CopyRows(pages, connection);
        RepairReferences(connection);
        return copied;
      }));
  PALUKU_TRY(database->TruncateLog());
  return rows;
}

Status RemoveDatabase(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    PALUKU_TRY(RemoveFile(path + suffix));
  }
  return {};
}

std::string BuildingPath(const std::string& path) { return path + ".salvaging"; }
std::string CompletePath(const std::string& path) { return path + ".salvaged"; }

// A name nobody has: nothing set aside earlier is ever overwritten.
Result<std::string> SetAsidePath(const std::string& path, const std::string& stamp) {
  const std::string base = path + ".damaged-" + stamp;
  std::string candidate = base;
  for (int n = 2;; ++n) {
    PALUKU_ASSIGN_OR_RETURN(const std::int64_t database, FileSize(candidate));
    PALUKU_ASSIGN_OR_RETURN(const std::int64_t log, FileSize(candidate + "-wal"));
    if (database < 0 && log < 0) return candidate;
    candidate = base + "-" + std::to_string(n);
  }
}

Status RenameIfThere(const std::string& from, const std::string& to) {
  PALUKU_ASSIGN_OR_RETURN(const std::int64_t size, FileSize(from));
  return size < 0 ? Status{} : RenameDurably(from, to);
}

// Tells where the damaged database went. It moves first: while it is at its place, a crash only
// means that salvage is done again.
Result<std::string> SwapIn(const std::string& path, const std::string& stamp) {
  PALUKU_ASSIGN_OR_RETURN(std::string set_aside, SetAsidePath(path, stamp));
  PALUKU_TRY(RenameIfThere(path, set_aside));
  PALUKU_TRY(RenameIfThere(path + "-wal", set_aside + "-wal"));
  PALUKU_TRY(RemoveFile(path + "-shm"));
  PALUKU_TRY(RenameDurably(CompletePath(path), path));
  return set_aside;
}

}  // namespace

Result<SalvageReport> SalvageDatabase(const SalvageRequest& request) {
  const std::string building = BuildingPath(request.path);
  PALUKU_TRY(RemoveDatabase(building));
  PALUKU_ASSIGN_OR_RETURN(const PageReader pages, PageReader::Open(request.path));
  Result<std::int64_t> rows = BuildSalvaged(request, pages, building);
  if (!rows) {
    (void)RemoveDatabase(building);
    return tl::unexpected(rows.error());
  }
  PALUKU_TRY(RenameDurably(building, CompletePath(request.path)));
  PALUKU_ASSIGN_OR_RETURN(const std::string set_aside, SwapIn(request.path, request.stamp));
  return SalvageReport{set_aside, *rows};
}

Status FinishInterruptedSalvage(const std::string& path, const std::string& stamp) {
  PALUKU_ASSIGN_OR_RETURN(const std::int64_t complete, FileSize(CompletePath(path)));
  PALUKU_ASSIGN_OR_RETURN(const std::int64_t present, FileSize(path));
  if (complete < 0) return {};
  if (present >= 0) return RemoveFile(CompletePath(path));  // damage will be found again
  PALUKU_TRY(SwapIn(path, stamp));
  return {};
}

}  // namespace paluku
