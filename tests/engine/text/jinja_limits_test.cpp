// No template takes more than its share, whatever it holds, and every refusal names its line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/text/jinja/template.h"
#include "tests/engine/text/jinja_values.h"

namespace paluku::jinja {
namespace {

using testing::HasSubstr;

Result<std::string> Render(const std::string& source, const std::string& message = "hello") {
  PALUKU_ASSIGN_OR_RETURN(const auto parsed, Template::Parse(source, "file.gguf"));
  const auto fill = [&](Heap& heap, Dict& variables) {
    heap.Set(variables, heap.NewText("m", Origin::kTemplate),
             heap.NewText(message, Origin::kMessage));
  };
  PALUKU_ASSIGN_OR_RETURN(const Text text, parsed->Render(message.size(), fill, 0));
  return text.bytes();
}

std::string Repeat(const std::string& part, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += part;
  return all;
}

std::string Doubling(const std::string& start, const std::string& step) {
  return "{% set ns = namespace(x=" + start + ") %}" + Repeat("{% set ns.x = " + step + " %}", 60) +
         "{{ ns.x }}";
}

// Sixty ways to run for long, to need much, or to go deep.
std::vector<std::string> Hostile() {
  const std::string big = "{% for i in range(100000) %}";
  const std::string small = "{% for i in range(1000) %}";
  const std::string wide = "{% set l = range(100000) | list %}";
  std::vector<std::string> all = {
      Repeat(small, 4) + "x" + Repeat("{% endfor %}", 4),
      Repeat(small, 4) + Repeat("{% endfor %}", 4),
      big + "{% set a = m * 1000 %}{% endfor %}",
      big + "{{ m * 100 }}{% endfor %}",
      "{{ 'x' * 1000000000 }}",
      "{{ 'x' * 9223372036854775807 }}",
      "{{ [1] * 1000000000 }}",
      "{{ [[1] * 1000] * 100000 }}",
      "{{ ('x' * 1000000) * 1000000 }}",
      "{{ range(1000000000) | length }}",
      "{{ range(0, 9223372036854775807, 1) }}",
      "{% for i in range(100) %}{% set x = range(100000) | list %}{% endfor %}",
      Doubling("'x'", "ns.x + ns.x"),
      Doubling("'x'", "ns.x ~ ns.x"),
      Doubling("[1]", "ns.x + ns.x"),
      Doubling("'x'", "ns.x.replace('x', 'xx')"),
      Doubling("'xx'", "ns.x | replace('', ns.x)"),
      Doubling("'a'", "ns.x | tojson + ns.x | tojson"),
      Doubling("'\\\\'", "ns.x | tojson"),
      Doubling("['x', 'x']", "[ns.x, ns.x]"),
      Doubling("{'a': 1}", "{'a': ns.x, 'b': ns.x}"),
      Doubling("'x'", "'%s%s' % (ns.x, ns.x)"),
      Doubling("'&'", "(ns.x ~ ns.x) | escape"),
      Doubling("['x']", "[ns.x | join(ns.x | join), ns.x | join]"),
      Doubling("'x\\n'", "(ns.x ~ ns.x) | indent(1000)"),
      Doubling("2", "ns.x * ns.x"),
      Doubling("2", "ns.x ** ns.x"),
      "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}",
      "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
      "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}",
      "{% macro f() %}{{ caller() }}{% endmacro %}{% macro g() %}{% call f() %}{{ g() }}"
      "{% endcall %}{% endmacro %}{{ g() }}",
      "{% set l = [] %}{% set _ = l.append(l) %}{{ l }}",
      "{% set l = [] %}{% set _ = l.append(l) %}{{ l | tojson }}",
      "{% set l = [] %}{% set k = [] %}{% set _ = l.append(l) %}{% set _ = k.append(k) %}"
      "{{ l == k }}",
      "{% set l = [] %}{% set k = [] %}{% set _ = l.append(l) %}{% set _ = k.append(k) %}"
      "{{ l < k }}",
      "{% set l = [1] %}{% for x in l %}{% set _ = l.append(x) %}{% endfor %}",
      "{% set l = [1] %}{% for x in l %}{% set _ = l.extend(l) %}{% endfor %}",
      wide + big + "{% if -1 in l %}x{% endif %}{% endfor %}",
      wide + big + "{% set x = l | first %}{% endfor %}",
      wide + big + "{% set x = l | last %}{% endfor %}",
      wide + big + "{% set x = l == l %}{% endfor %}",
      wide + big + "{% set x = l[1:] %}{% endfor %}",
      wide + big + "{% set x = l | sum %}{% endfor %}",
      wide + big + "{% set x = l.pop(0) %}{% endfor %}",
      wide + "{{ l | unique | list | length }}",
      wide + big + "{% set x = l | sort %}{% endfor %}",
      wide + big + "{% set x = l | map('string') | join %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}" + big + "{% if 'b' in s %}x{% endif %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}" + big + "{% set x = s.split('b') %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}" + big + "{% set x = s.rsplit('b') %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}" + big + "{% set x = s | length %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}" + big + "{% set x = s[-1] %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}" + big + "{% set x = s | upper %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}{{ s.find('a' * 500000 ~ 'b') }}" + big +
          "{{ s.find('a' * 500000 ~ 'b') }}{% endfor %}",
      "{% set s = ' ' * 1000000 %}" + big + "{% set x = s.split() %}{% endfor %}",
      "{% set s = 'a' * 1000000 %}" + big + "{% set x = s | list %}{% endfor %}",
      "{% set s = 'a ' * 1000000 %}{{ s.split() }}",
      "{% set s = 'a' * 1000000 %}{{ s | list }}",
      "{{ (',' * 4000000).split(',') }}",
      "{{ (' a' * 2000000).rsplit() | length }}",
      "{{ ('\\n' * 4000000).splitlines() | length }}",
      "{{ ('[' * 100000) | from_json }}",
      "{{ ('[' * 60 ~ '1,' * 1000000) | from_json }}",
      "{{ ('{\"a\":' * 100000) | from_json }}",
      "{% set ns = namespace(d={}) %}" + big + "{% set ns.d = dict(ns.d, **{}) %}{% endfor %}",
      "{% set ns = namespace(d={}) %}" + big +
          "{% set ns.d = dict([(i, i)], a=ns.d) %}{% endfor %}{{ ns.d }}",
      "{% set ns = namespace(s='') %}" + big +
          "{% set ns.s = ns.s ~ 'abcdefghij' %}{% endfor %}{{ ns.s }}",
      Repeat("{% if true %}", 100000),
      Repeat("{% if true %}", 200) + Repeat("{% endif %}", 200),
      "{{ " + Repeat("(", 100000) + "1" + Repeat(")", 100000) + " }}",
      "{{ " + Repeat("[", 10000) + Repeat("]", 10000) + " }}",
      "{{ " + Repeat("not ", 50000) + "x }}",
      "{{ " + Repeat("-", 100000) + "1 }}",
      "{{ " + Repeat("1 if 1 else ", 10000) + "1 }}",
      "{{ " + Repeat("1 if ", 10000) + "1 }}",
      "{{ m" + Repeat(".x", 100000) + " }}",
      "{{ m" + Repeat("[0]", 50000) + " }}",
      "{{ m" + Repeat("()", 50000) + " }}",
      "{{ m" + Repeat("|e", 100000) + " }}",
      "{{ m" + Repeat(" is x", 10) + " }}",
      "{{ 1" + Repeat(" ** 1", 60000) + " ** }}",
      std::string(300'000, 'x'),
      Repeat("{{ m }}", 40'000),
      "{{ " + std::string(200'000, 'a') + " }}",
      "{{ '" + std::string(200'000, '\\') + " }}",
      "{% raw %}" + Repeat("{%", 100'000),
      Repeat("{#", 100'000),
      "{{ raise_exception(m * 1000) }}",
      "{% for x in m * 1000000 %}{{ loop.changed(x) }}{% endfor %}",
  };
  return all;
}

TEST(JinjaLimits, HostileTemplatesAreStopped) {
  const std::vector<std::string> hostile = Hostile();
  EXPECT_GE(hostile.size(), 60u);
  for (const std::string& source : hostile) {
    const auto text = Render(source);
    EXPECT_FALSE(text.has_value())
        << source.substr(0, 200) << "\ngave " << text.value_or("").size() << " bytes";
  }
}

TEST(JinjaLimits, TheyGrowWithTheConversation) {
  const std::string copies = "{% for i in range(10) %}{% set x = m | trim %}{% endfor %}{{ m }}";
  const std::string message(3 << 20, 'x');
  const auto text = Render(copies, message);
  ASSERT_TRUE(text.has_value()) << text.error().Message();
  EXPECT_EQ(text->size(), message.size());
  EXPECT_FALSE(Render("{{ m }}{{ m }}{{ m }}{{ m }}{{ m }}", message).has_value());
}

TEST(JinjaLimits, RefusalsNameTheLineAndWhatStandsThere) {
  const std::pair<const char*, const char*> kRefusals[] = {
      {"a\nb\n{% include 'x' %}", "line 3: the tag \"include\" is not supported here"},
      {"\n{{ m | nonsense }}", "line 2: the filter \"nonsense\" is not supported"},
      {"\n{{ m is nonsense }}", "line 2: the test \"nonsense\" is not supported"},
      {"\n\n{{ m.encode() }}", "line 3: the method \"encode\" of a string is not supported"},
      {"{{ lipsum() }}", "line 1: the function \"lipsum\" is not known"},
      {"{{ m.x.y }}", "line 1: \"x\" is undefined and holds nothing"},
      {"{{ 'a' + absent }}", "line 1: \"absent\" is undefined"},
      {"{% if m %}\n\n", "line 1: an if does not end"},
      {"{{ m }", "line 1: unexpected \"}\""},
      {"x {{ 'abc", "line 1: a string does not end"},
      {"{{ 1 + }}", "line 1: expected an expression, found \"}}\""},
      {"\n{% for x in m recursive %}{% endfor %}", "line 2: recursive loops are not supported"},
      {"{% set x = m(*m) %}", "line 1: unpacked arguments (*) are not supported"},
      {"{{ raise_exception('turns must ' ~ 'alternate') }}",
       "line 1: the template refuses this conversation: turns must alternate"},
      {"{% macro f(a) %}{% endmacro %}\n{{ f(b=1) }}", "line 2: \"f\" has no parameter \"b\""},
      {"{{ m | tojson(nope=1) }}", "line 1: there is no argument \"nope\" here"},
      {"{{ m\n~ 1 < none }}", "there is no order between a string and None"},
  };
  for (const auto& [source, reason] : kRefusals) {
    const auto text = Render(source);
    ASSERT_FALSE(text.has_value()) << source;
    EXPECT_EQ(text.error().code, ErrorCode::kUnsupportedTemplate);
    EXPECT_EQ(text.error().subject, "file.gguf");
    EXPECT_THAT(text.error().detail, HasSubstr(reason)) << source;
  }
}

// Errors are shown and logged, conversations are not.
TEST(JinjaLimits, RefusalsDoNotRepeatWhatAMessageSays) {
  const auto text = Render("{{ raise_exception('no: ' ~ m ~ '!') }}", "a secret");
  ASSERT_FALSE(text.has_value());
  EXPECT_THAT(text.error().detail, HasSubstr("no: …!"));
}

TEST(JinjaLimits, EveryPrefixIsReadOrRefused) {
  const std::string source =
      "{%- macro f(a, b=[1, {'k': 'v\\n'}]) -%}{{ a ~ b[0] | string }}{%- endmacro %}{# c #}\n"
      "{% for k, v in {'a': 1}.items() if v is not none %}{{ f(k) }}{% else %}{% raw %}{{{% endraw "
      "%}{% endfor %}{% set ns = namespace(x=1.5e3) %}{% set ns.x %}y{% endset %}{{ ns.x[::-1] }}";
  ASSERT_TRUE(Render(source).has_value()) << Render(source).error().Message();
  int refused = 0;
  for (std::size_t length = 0; length < source.size(); ++length)
    refused += Render(source.substr(0, length)) ? 0 : 1;
  EXPECT_GE(refused, static_cast<int>(source.size() / 2));
}

TEST(JinjaLimits, NoObjectOfTheProgramIsReached) {
  for (const std::string object :
       {"m", "[]", "{}", "1", "none", "true", "range", "namespace()", "f", "loop", "m.split"}) {
    for (const std::string name : {"__class__", "__init__", "__globals__", "__mro__", "_x"}) {
      const std::string before = "{% macro f() %}{% endmacro %}{% for x in [1] %}";
      const auto text = Render(before + "{{ " + object + "." + name + " }}{% endfor %}");
      if (text) {
        EXPECT_EQ(*text, "") << object << "." << name;
      }
    }
  }
}

}  // namespace
}  // namespace paluku::jinja
