"""Small templates, one construct each, for jinja_golden.py. Those that Jinja2 refuses must be refused by us too.

What we refuse and Jinja2 does not (recursive loops, blocks, autoescape, names beyond ASCII) stands in the C++ tests.
"""

CONTEXT = {
    "s": "Hello, <b>World</b>",
    "t": "తెలుగు క్ష 你好 👩‍👧",
    "e": "",
    "w": "  two  words \t\n",
    "q": "it's \"quoted\" \\ \n\t\u00a0\u0007",
    "n": 7,
    "z": 0,
    "m": -3,
    "f": 2.5,
    "big": 1e22,
    "small": 1.5e-7,
    "yes": True,
    "no": False,
    "none_": None,
    "l": [3, 1, 2],
    "names": ["bob", "Alice", "carol", "alice"],
    "empty": [],
    "nested": [[1, 2], [3, [4, None]]],
    "d": {"b": 2, "a": 1, "items": "own", "C": [1.0, True, None, "x"]},
    "people": [{"name": "Bob", "age": 30, "tags": ["x"]}, {"name": "ann", "age": 25}, {"name": "Cy", "age": 30, "x": {"y": 1}}],
    "lines": "one\ntwo\r\n\nthree\u2028four\n",
    "json": '{"a": [1, 2.5, -3e2, true, null, "x\\u00e9\\ud83d\\ude00\\n"], "b": {}}',
}

EXPRESSIONS = r"""
1 + 2 * 3
(1 + 2) * 3
7 // 2
-7 // 2
7 // -2
-7 % 3
7 % -3
-7.5 // 2
7.5 % -2
7 / 2
6 / 2
2 ** 10
2 ** -1
2 ** 3 ** 2
-2 ** 2
1_000 + 0x1F + 0b11 + 0o17
1.5e3
1e100
.5
1 == 1.0
true == 1
"a" == 'a'
[1, 2] == [1, 2]
(1, 2) == [1, 2]
{'a': 1} == {'a': 1.0}
1 < 2 < 3
3 > 2 > 2
"a" < "b"
[1, 2] < [1, 3]
1 < "a"
1 in l
9 not in l
"ell" in s
5 in s
"b" in d
1 in none_
none_ == undefined_
undefined_ == other_undefined
not yes
not no and yes
e or "fallback"
n and s
none_ or z or "last"
yes if no else s
yes if no
"a" ~ 1 ~ none_ ~ true ~ 1.0 ~ undefined_ ~ [1, 'x']
"a" + 1
"a" + none_
"a" "b" 'c'
"a" * 3
3 * "ab"
[1] * 3
"x" * -1
l + [4]
(1,) + (2,)
l - 1
undefined_ + "x"
undefined_.x
undefined_
undefined_ | length
undefined_ | upper
undefined_ | join
undefined_()
s()
s.missing
s.missing.deeper
d.missing
d["missing"] is defined
d.b
d["b"]
d["items"]
d.items() | list
d | items | list
d.keys() | list
d.values() | list
d.get("b")
d.get("nope")
d.get("nope", 5)
d.get("nope", default=5)
d.b.c
d | length
l[0]
l[-1]
l[5]
l[1:]
l[:-1]
l[::-1]
l[::2]
l[5:]
l[-2:]
l[1:2:1]
l[::0]
l["x"]
l.0
t[0]
t[-1]
t[2:9]
t[::-1]
t[::3]
s[7:]
s[:5]
s[100:]
s[-100:3]
s["x"]
n[0]
none_["x"]
none_.x
nested[1][1][0]
l
nested
d
q
[q]
[t, "\u200b", "\x7f"]
(1,)
()
[]
{}
{"a": (1, 2), 3: none_}
yes
none_
f
big
small
100000000000000000.0
1e16
123456789.125
0.0001
0.00001
-0.0
1 / 3
9223372036854775807
s | upper
s | lower
s | title
s | capitalize
"hELLO wORLD-foo (bar) it's" | title
"hELLO wORLD-foo it's x1y".title()
"hELLO".capitalize()
w | trim
w | trim("w ")
"xxaxx" | trim("x")
w.strip() ~ "|"
w.lstrip() ~ "|"
w.rstrip() ~ "|"
"xyaxy".strip("yx")
"xyaxy".lstrip("x")
"xyaxy".rstrip("y")
"\u00a0\u3000a\u2003".strip()
s.split(", ")
s.split("l")
s.split("l", 1)
s.rsplit("l", 1)
s.rsplit("l")
s.split("")
w.split()
w.split(none, 1)
w.rsplit(none, 1)
"aaa".rsplit("aa", 1)
"a,b,,c".split(",", -1)
"a b  c".split(" ")
"abc".split("x")
e.split()
e.split(",")
lines.splitlines()
lines.splitlines(true)
s.startswith("Hello")
s.startswith(("x", "He"))
s.endswith("</b>")
s.endswith("x")
s.replace("l", "L")
s.replace("l", "L", 2)
s | replace("o", "0")
s | replace("o", "0", 1)
"abc".replace("", "-")
"abc" | replace("", "-", 2)
t.replace("క్", "K")
s.find("World")
t.find("你")
s.rfind("l")
s.find("zz")
s.count("l")
"aaaa".count("aa")
"abc".count("")
", ".join(names)
"".join(l)
"-".join("abc")
"12".isdigit()
"1a".isdigit()
"".isdigit()
" \t".isspace()
"prefix-x".removeprefix("prefix-")
"x.txt".removesuffix(".txt")
s.upper()
s.lower()
s.nothing()
s | e
"a&'\"<>" | escape
s | safe
l | join
l | join("-")
names | join(", ")
people | join(", ", attribute="name")
people | map(attribute="name") | join("/")
people | map(attribute="x.y") | list
people | map(attribute="tags.0", default="-") | list
names | map("upper") | list
names | map("replace", "a", "4") | join(" ")
l | map("string") | join
names | map("nonsense") | list
l | first
l | last
empty | first
empty | last
s | first
t | last
d | first
l | length
t | length
l | count
l | list
s[:3] | list
d | list
l | sort
l | sort(reverse=true)
names | sort
names | sort(case_sensitive=true)
people | sort(attribute="age") | map(attribute="name") | list
people | sort(attribute="name") | map(attribute="name") | list
names | unique | list
[1, 1.0, 2, true] | unique | list
l | min
l | max
names | min
names | max
people | map(attribute="age") | max
(people | max(attribute="age")).name
(people | min(attribute="name")).name
empty | max
l | sum
people | sum(attribute="age")
[1.5, 2] | sum(start=10)
l | reverse | list
s | reverse
t | reverse
d | dictsort
d | dictsort(case_sensitive=true)
d | dictsort(reverse=true)
{"x": 2, "y": 1} | dictsort(by="value")
l | select("odd") | list
l | reject("odd") | list
l | select(">", 1) | list
[0, 1, "", "a", none] | select | list
[0, 1, "", "a", none] | reject | list
people | selectattr("age", "eq", 30) | map(attribute="name") | list
people | selectattr("tags") | map(attribute="name") | list
people | rejectattr("tags", "defined") | map(attribute="name") | list
people | selectattr("age", "in", [25]) | list | length
people | selectattr("name", "nonsense") | list
d | tojson
l | tojson
s | tojson
t | tojson
q | tojson
t | tojson(ensure_ascii=true)
t | tojson(ensure_ascii=False)
nested | tojson(indent=2)
d | tojson(indent=4)
{} | tojson(indent=2)
[[], {}, [1]] | tojson(indent=1)
d | tojson(separators=(",", ":"))
d | tojson(indent=2, separators=(",", ": "))
{"b": 1, "a": {"d": 1, "c": 2}} | tojson(sort_keys=true)
[1.0, 1e22, 1.5e-7, -0.0, 100] | tojson
{1: 2, none: 3, true: 4} | tojson
(1, 2) | tojson
undefined_ | tojson
"</script>&'" | tojson
json | from_json
(json | from_json).a[5]
json | from_json | tojson
"[1, 2" | from_json
"nope" | from_json
" [ 1 , 2 ] " | from_json
n | string ~ "!"
"12" | int + 1
" 12 " | int
"x" | int
"x" | int(default=5)
"2.9" | int
2.9 | int
-2.9 | int
none_ | int
true | int
"1.5" | float
"x" | float
3 | float
-3 | abs
f | abs
2.5 | round
3.5 | round
2.567 | round(2)
-2.5 | round
2.1 | round(method="ceil")
2.9 | round(0, "floor")
1234.5678 | round(1, "ceil")
7 | round
undefined_ | default("x")
undefined_ | d("x")
e | default("x")
e | default("x", true)
none_ | default("x")
none_ | default("x", boolean=true)
undefined_.x | default("y")
"a\nb\n\nc" | indent
"a\nb\n\nc" | indent(2, true)
"a\nb\n\nc" | indent(2, blank=true)
"a\nb" | indent("> ")
"a\nb" | indent(width=1, first=true)
"%s is %d" | format("x", 3)
"%s" % s
"%s and %s" % ("a", "b")
"%d%%" % 50
"%.2f" % 1.005
"%f" % f
"{}-{}".format(n, s)
"{1}{0}{{}}".format("a", "b")
"{x} {}".format(1, x=2)
"{} {}".format(1)
"{".format(1)
"}".format(1)
"{y}".format(x=1)
"%s %s" % ("a",)
s | nonsense
s is nonsense
n is number
yes is number
s is string
l is iterable
s is iterable
n is iterable
d is mapping
l is mapping
l is sequence
s is sequence
d is sequence
n is sequence
none_ is none
undefined_ is none
undefined_ is undefined
undefined_ is defined
d.x is defined
n is defined
n is integer
f is integer
yes is integer
f is float
yes is boolean
n is boolean
yes is true
n is true
no is false
z is false
n is odd
n is even
n is divisibleby 7
n is divisibleby(2)
n is eq 7
n is equalto(8)
n is ne 7
n is gt 3
n is lessthan 3
n is ge(7)
n is in [7]
n is not in l
"abc" is lower
"aBc" is lower
"ABC" is upper
"123" is upper
range is callable
s is callable
none_ is sameas none
n is not none and n is number
n is string or n is number
x is defined and x
not undefined_ is defined
n is number == true
range(5) | list
range(2, 5) | list
range(5, 0, -2) | list
range(0) | list
range(0, 3, 0)
range("x")
range(1000000)
dict(a=1, b="x")
dict({"a": 1}, b=2)
dict([("a", 1)])
namespace(a=1).a
namespace(a=1).b
[1, 2, 3].index(2)
[1, 2, 2].count(2)
[1].index(5)
raise_exception("no")
strftime_now("%%") 
nonsense(1)
l | first | string | length
(l | first) + 1
l[0] | string + "x"
-n | abs
-l[0]
+n
not n
- - n
s ~ t | length
1 + 2 ~ 3
2 ~ 3 * 4
"a" if n > 5 else "b" if n > 3 else "c"
[x for x in l]
{"a": 1}.a
{"a": {"b": {"c": 1}}}["a"].b["c"]
{"b": 1, "a": 2}
[1, 2,]
{"a": 1,}
"\n\t\\\'\"\x41\u0c24\U0001F600\101\q"
"\x4"
"unclosed
s.__class__
s["__class__"]
''.__class__.__mro__
loop
caller
"""

TEMPLATES = [
    "{{ 'a\\\nb' }}", "", "\n", "a\n", "a\n\n", "a\r\nb\rc\r\n", "  {{ n }}  ", "{{- n -}}  x", "x  {{- n }}", "{% if yes %}\nx\n{% endif %}\ny", "  {% if yes %}  \n  x\n  {% endif %}  \ny",
    "a {% if yes %} b {% endif %} c", "a\n  {%+ if yes %}\nb{% endif +%}\nc", "a {#- c -#} b", "  {# c #}\nx", "x {# multi\nline #} y", "{#", "{% raw %}{{ n }}{% endraw %}",
    "  {% raw -%}  {{ n }}  {%- endraw %}\nx", "{% raw %}\nx\n{% endraw %}\ny", "{% raw %}", "{{", "{{ }}", "{% %}", "{% nonsense %}", "{{ n", "{{ n }", "}} %} #}", "{ {n} }",
    "{{ n }}\n{{ n }}\n", "{%- if yes -%}\n  x  \n{%- endif -%}\n  y", "\u00a0{%- if yes %}x{% endif -%}\u2003y", "{{ '{{' }}{{ '}}' }}{{ \"%}\" }}", "{{ {'a': {'b': 1}}.a.b }}",
    "{{ [1, 2][0] }}{{ (n) }}", "{{ n }}}}", "{{ ')' }}{{ (1, 2) }}", "{{ ) }}", "{{ (1] }}", "{{ n $ }}", "{{ n; }}",
    "{% for x in l %}{{ x }}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem }}-{{ loop.nextitem }} {% endfor %}", "{% for x in empty %}x{% else %}none{% endfor %}", "{% for x in undefined_ %}x{% else %}none{% endfor %}",
    "{% for x in none_ %}x{% endfor %}", "{% for x in n %}x{% endfor %}", "{% for c in t[:3] %}[{{ c }}]{% endfor %}", "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for a, b in nested %}{{ a }}{{ b }}{% endfor %}", "{% for a, b, c in nested %}{% endfor %}",
    "{% for (a, b) in nested %}{{ a }}{% endfor %}", "{% for x in l if x > 1 %}{{ x }}{{ loop.index }}/{{ loop.length }} {% endfor %}", "{% for x in 1, 2 %}{{ x }}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{{ x }}{% if x == 1 %}{% break %}{% endif %}{% endfor %}", "{% break %}",
    "{% for x in l %}{% for y in l %}{{ loop.depth }}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}", 
    "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}", "{% for x in l %}{% endfor %}{{ x }}", "{% for x in l %}{{ x }}",
    "{% for x in l %}{% set y = x %}{% endfor %}{{ y }}", "{% set y = 0 %}{% for x in l %}{{ y }}{% set y = x %}{{ y }} {% endfor %}{{ y }}", "{% if yes %}{% set y = 5 %}{% endif %}{{ y }}",
    "{% set ns = namespace(a=1) %}{% for x in l %}{% set ns.a = ns.a + x %}{% endfor %}{{ ns.a }}", "{% set ns = namespace() %}{% set ns.new = 'x' %}{{ ns.new }}{{ ns.other }}",
    "{% set d.x = 1 %}", "{% set u.x = 1 %}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = [1] %}", "{% set a = 1, 2 %}{{ a }}", "{% set a = b = 1 %}",
    "{% set x %} a {{ n }}\n{% endset %}[{{ x }}]", "{% set x | upper | trim %} a {% endset %}[{{ x }}]", "{% set ns = namespace() %}{% set ns.x %}b{% endset %}{{ ns.x }}",
    "{% set l = l + [4] %}{{ l }}", "{% set _ = l.append(9) %}{{ l }}{{ l.pop() }}{{ l.pop(0) }}{{ l }}", "{% set x = [] %}{{ x.append(1) }}{{ x }}{{ x.extend([2, 3]) }}{{ x }}",
    "{{ empty.pop() }}", "{% if no %}a{% elif z %}b{% elif n %}c{% else %}d{% endif %}", "{% if no %}a{% else %}d{% endif %}", "{% if %}{% endif %}", "{% if yes %}a", "{% endif %}",
    "{% if yes %}{% else %}{% elif no %}{% endif %}", "{% macro m(a, b=2) %}{{ a }}-{{ b }} {% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}{{ m() }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(c=2) }}", "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(7) }}", "{% macro m(a=1, b) %}{% endmacro %}x",
    "{% macro m() %}{{ later }}{% endmacro %}{% set later = 5 %}{{ m() }}", "{% macro m() %}{% set inner = 5 %}{{ inner }}{% endmacro %}{{ m() }}{{ inner }}",
    "{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(4) }}", "{% macro m() %}a{% endmacro %}{{ m() | upper }}{{ m() is string }}{{ m() ~ 'b' }}",
    "{% macro m(a) %}[{{ caller() }}{{ a }}]{% endmacro %}{% call m(1) %}body{{ n }}{% endcall %}", "{% macro m() %}{{ caller('x') }}{% endmacro %}{% call(a) m() %}<{{ a }}>{% endcall %}",
    "{% call m() %}{% endcall %}", "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter replace('a', 'b') | upper %}aa{% endfilter %}", "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% with %}{% set x = 1 %}{{ x }}{% endwith %}{{ x }}", "{% generation %}a{{ n }}{% set g = 1 %}{% endgeneration %}{{ g }}", "{% include 'x' %}", "{% import 'x' as y %}", "{% extends 'x' %}",
    "{% macro a() %}{% for x in l %}{{ x }}{% endfor %}{% endmacro %}{% for x in l %}{{ a() }}{{ x }}{% endfor %}", "{% macro m() %}x{% endmacro m %}{{ m() }}",
    "{{ n }} {# {{ x }} #} {{ s }}", "{% set x = 'a' %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 'b' %}{{ m() }}", "{{ caller }}x", "{{ m }}{% macro m() %}{% endmacro %}",
    "{%- for x in l -%}\n  {{- x -}}\n{%- endfor -%}", "a\n    {%- if yes %}\n    b\n    {%- endif %}\n", "{%if yes%}x{%endif%}", "{{n}}{{-n-}}", "{{+n}}", "{{ n }}\n\n\n", "\n\n{{ n }}",
    "{% set x = namespace(y=[]) %}{% set x.y = x.y + ['a'] %}{{ x.y | join }}", "{% for p in people %}{{ p.name }}{% if not loop.last %}, {% endif %}{% endfor %}", "{{ people[0]['name'][0] }}",
    "{% set x = n if n is defined else 0 %}{{ x }}",
    "{% for x in range(3) %}{% for y in range(x) %}{{ x }}{{ y }} {% endfor %}{% endfor %}", "{{ s }}{% if s %}{{ s[0] }}{% endif %}{{ '' if none_ is none else 'x' }}", "{% do 1 %}",
    "{% trans %}a{% endtrans %}", "{% set x = m(*l) %}", "{{ s | replace(old='l', new='L') }}",
]  # fmt: skip

SNIPPETS = [f"{{{{ {line} }}}}" for line in EXPRESSIONS.strip("\n").split("\n")] + TEMPLATES
