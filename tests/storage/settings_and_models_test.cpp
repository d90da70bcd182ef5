// Every verb of SettingsStore and ModelStore.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/storage/storage_test_util.h"

namespace paluku {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(SettingsStore, KeepsValuesAcrossStarts) {
  TempDir dir;
  auto storage = MustOpen(dir / "data");
  EXPECT_EQ(Must(Do(*storage, [](Stores& s) { return s.settings.Get("threads"); })), std::nullopt);
  Must(Do(*storage, [](Stores& s) { return s.settings.Set("threads", "4"); }));
  Must(Do(*storage, [](Stores& s) { return s.settings.Set("threads", "2"); }));
  Must(Do(*storage, [](Stores& s) {
    return s.settings.SetAll({{"sampling.seed", ""}, {"sampling.top_p", "0.9"}});
  }));
  storage.reset();
  storage = MustOpen(dir / "data");
  EXPECT_EQ(Must(Do(*storage, [](Stores& s) { return s.settings.Get("threads"); })), "2");
  EXPECT_THAT(
      Must(Do(*storage, [](Stores& s) { return s.settings.All(); })),
      ElementsAre(Pair("sampling.seed", ""), Pair("sampling.top_p", "0.9"), Pair("threads", "2")));
}

TEST(SettingsStore, RemovesOneKey) {
  TempDir dir;
  const auto storage = MustOpen(dir / "data");
  Must(Do(*storage, [](Stores& s) { return s.settings.SetAll({{"a", "1"}, {"b", "2"}}); }));
  Must(Do(*storage, [](Stores& s) { return s.settings.Remove("a"); }));
  Must(Do(*storage, [](Stores& s) { return s.settings.Remove("never there"); }));
  EXPECT_THAT(Must(Do(*storage, [](Stores& s) { return s.settings.All(); })),
              ElementsAre(Pair("b", "2")));
}

class ModelStoreTest : public testing::Test {
 protected:
  ModelStoreTest() {
    StorageOptions options;
    options.data_dir = dir_ / "data";
    options.clock = [this] { return now_ms_ += 10; };
    storage_ = Must(Storage::Open(options));
  }
  ModelRecord Add(const std::string& path, const std::string& name, std::int64_t size) {
    return Must(Do(*storage_, [&](Stores& s) { return s.models.Add(path, name, size); }));
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& model : Must(Do(*storage_, [](Stores& s) { return s.models.List(); }))) {
      names.push_back(model.name);
    }
    return names;
  }

  TempDir dir_;
  std::int64_t now_ms_ = 0;
  std::unique_ptr<Storage> storage_;
};

TEST_F(ModelStoreTest, AddsAndFinds) {
  const ModelRecord made = Add("/models/a b.gguf", "A", std::int64_t{300} << 30);
  const ModelRecord got = Must(Do(*storage_, [&](Stores& s) { return s.models.Get(made.id); }));
  EXPECT_EQ(got.path, "/models/a b.gguf");
  EXPECT_EQ(got.name, "A");
  EXPECT_EQ(got.size_bytes, std::int64_t{300} << 30);
  EXPECT_GT(got.added_ms, 0);
  EXPECT_FALSE(got.last_used_ms.has_value());
  const auto found =
      Must(Do(*storage_, [](Stores& s) { return s.models.FindByPath("/models/a b.gguf"); }));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, made.id);
  EXPECT_FALSE(
      Must(Do(*storage_, [](Stores& s) { return s.models.FindByPath("/models/b"); })).has_value());
}

TEST_F(ModelStoreTest, AddingTheSameFileAgainUpdatesIt) {
  const ModelRecord first = Add("/m.gguf", "old", 1);
  const ModelRecord again = Add("/m.gguf", "new", 2);
  EXPECT_EQ(again.id, first.id);
  EXPECT_EQ(again.name, "new");
  EXPECT_EQ(again.size_bytes, 2);
  EXPECT_EQ(again.added_ms, first.added_ms);
  EXPECT_THAT(Names(), ElementsAre("new"));
}

TEST_F(ModelStoreTest, ListsTheLastUsedFirst) {
  const ModelRecord a = Add("/a", "a", 1);
  const ModelRecord b = Add("/b", "b", 1);
  Add("/c", "c", 1);
  EXPECT_THAT(Names(), ElementsAre("c", "b", "a"));
  Must(Do(*storage_, [&](Stores& s) { return s.models.MarkUsed(b.id); }));
  Must(Do(*storage_, [&](Stores& s) { return s.models.MarkUsed(a.id); }));
  EXPECT_THAT(Names(), ElementsAre("a", "b", "c"));
}

TEST_F(ModelStoreTest, RenamesAndRemoves) {
  const ModelRecord a = Add("/a", "a", 1);
  Must(Do(*storage_, [&](Stores& s) { return s.models.Rename(a.id, "better"); }));
  EXPECT_THAT(Names(), ElementsAre("better"));
  Must(Do(*storage_, [&](Stores& s) { return s.models.Remove(a.id); }));
  EXPECT_TRUE(Names().empty());
  for (const Status& status : {Do(*storage_, [&](Stores& s) { return s.models.Rename(a.id, "x"); }),
                               Do(*storage_, [&](Stores& s) { return s.models.MarkUsed(a.id); }),
                               Do(*storage_, [&](Stores& s) { return s.models.Remove(a.id); })}) {
    ASSERT_FALSE(status.has_value());
    EXPECT_EQ(status.error().code, ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace paluku
