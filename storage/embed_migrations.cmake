# Writes OUTPUT, a C++ file that defines EmbeddedMigrations() from the .sql FILES (a list separated
# by '|', in order). The number before the first '_' of a file name is its version.
string(REPLACE "|" ";" FILES "${FILES}")
set(entries "")
set(expected 1)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME_WE)
  string(REGEX MATCH "^[0-9]+" number "${name}")
  math(EXPR version "${number}")
  if(NOT version EQUAL expected)
    message(FATAL_ERROR "${file}: migration ${expected} was expected here")
  endif()
  math(EXPR expected "${expected} + 1")
  file(READ "${file}" sql)
  string(APPEND entries "      {${version}, R\"sql(${sql})sql\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Generated from storage/migrations by embed_migrations.cmake.
#include \"storage/migrator.h\"

namespace paluku {

std::span<const Migration> EmbeddedMigrations() {
  static constexpr Migration kMigrations[] = {
${entries}  };
  return kMigrations;
}

}  // namespace paluku
")
