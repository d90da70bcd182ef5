#include "storage/settings_store.h"

#include <utility>

#include "storage/database.h"
#include "storage/sealed_column.h"

namespace paluku {
namespace {

FieldPlace PlaceOf(const std::string& key) { return {Field::kSettingValue, {}, key}; }

}  // namespace

SettingsStore::SettingsStore(Database& database, const FieldCodec& codec)
    : database_(database), codec_(codec) {}

Result<std::optional<std::string>> SettingsStore::Get(const std::string& key) {
  return database_.Read([&](SQLite::Database& connection) -> Result<std::optional<std::string>> {
    SQLite::Statement row(connection, "SELECT value FROM settings WHERE key = ?");
    row.bind(1, key);
    if (!row.executeStep()) return std::nullopt;
    PALUKU_ASSIGN_OR_RETURN(std::string value, OpenSealed(row.getColumn(0), codec_, PlaceOf(key)));
    return value;
  });
}

Result<std::map<std::string, std::string>> SettingsStore::All() {
  using Values = std::map<std::string, std::string>;
  return database_.Read([&](SQLite::Database& connection) -> Result<Values> {
    SQLite::Statement row(connection, "SELECT key, value FROM settings");
    Values values;
    while (row.executeStep()) {
      const std::string key = row.getColumn(0).getString();
      // A value that does not open counts as never set: its default applies.
      auto value = OpenSealed(row.getColumn(1), codec_, PlaceOf(key));
      if (value) values[key] = std::move(*value);
    }
    return values;
  });
}

Status SettingsStore::Set(const std::string& key, const std::string& value) {
  return SetAll({{key, value}});
}

Status SettingsStore::SetAll(const std::map<std::string, std::string>& values) {
  return database_.Write([&](SQLite::Database& connection) -> Status {
    SQLite::Statement upsert(connection,
                             "INSERT INTO settings (key, value) VALUES (?, ?) "
                             "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    for (const auto& [key, value] : values) {
      upsert.reset();
      upsert.bind(1, key);
      BindSealed(upsert, 2, codec_, PlaceOf(key), value);
      upsert.exec();
    }
    return {};
  });
}

Status SettingsStore::Remove(const std::string& key) {
  return database_.Write([&](SQLite::Database& connection) -> Status {
    SQLite::Statement erase(connection, "DELETE FROM settings WHERE key = ?");
    erase.bind(1, key);
    erase.exec();
    return {};
  });
}

}  // namespace paluku
