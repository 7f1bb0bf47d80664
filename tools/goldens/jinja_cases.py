"""Small templates, one behaviour of jinja2 each, and the variables that all of them see."""

VARIABLES = {
    "s": "Hello World",
    "u": "\u00c4pfel \u4f60\u597d \U0001f44b",
    "html": "<a href=\"x\">'&'</a>",
    "n": 7,
    "neg": -7,
    "f": 3.0,
    "t": True,
    "none_value": None,
    "items_list": [3, 1, 2],
    "words": ["b", "A", "c"],
    "d": {"a": 1, "b": [1, 2], "items": "shadowed", "c": {"x": None}},
    "people": [
        {"name": "Ann", "age": 30, "at": {"city": "Bonn"}},
        {"name": "bob", "age": 25, "at": {"city": "Aachen"}},
        {"name": "Cid", "age": 30},
    ],
    "lines": "one\n  two\n\nthree",
    "blank": " \t x \n",
}

PRINTING = """{{ 1 }} {{ 1.0 }} {{ 1e16 }} {{ 1.5e-7 }} {{ 123456789012345680.0 }} {{ 0.1 + 0.2 }} {{ -0.0 }} {{ 1e300 * 1e10 }}
{{ true }} {{ True }} {{ none }} {{ None }} {{ false }}
{{ [1, 'a', none, 2.50, true] }} {{ (1,) }} {{ () }} {{ (1, 2) }} {{ {'a': 1, 2: 'b'} }}
{{ ["it's", 'say "x"', 'both \\' "', 'back\\\\slash', 'tab\\t', 'nl\\n', '\\x07', '\\u200b', '\\u00e9', '\\xa0'] }}
{{ u }} {{ [u] }}
{{ undefined_name }}|{{ d.missing }}|{{ d['missing'] }}|{{ items_list[9] }}|{{ s.missing }}
{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 6 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 0.5 }}
{{ 7.5 // 2 }} {{ -7.5 // 2 }} {{ 7.5 % 2 }} {{ -7.5 % 2 }} {{ 7.5 // -2.5 }} {{ 1 + 1.0 }} {{ 3 * 1.0 }} {{ true + 1 }}
{{ 'ab' + 'cd' }} {{ 'ab' * 3 }} {{ 3 * 'ab' }} {{ 'ab' * -1 }}| {{ [1] + [2] }} {{ [0] * 3 }} {{ (1,) + (2,) }} {{ 1 ~ 'a' ~ none ~ 2.0 ~ undefined_name }}
{{ -n }} {{ +n }} {{ - n | abs }} {{ -2 ** 2 }} {{ 2 ** 3 ** 2 }} {{ 1 + 2 * 3 - 4 }} {{ (1 + 2) * 3 }} {{ 10 - 2 - 3 }} {{ 0x1f }} {{ 1_000 }} {{ 0b101 }} {{ 0o17 }} {{ 1_0.5 }} {{ 1.5e3 }} {{ 1E2 }}
{{ 'a' 'b' "c" }} {{ 'x\\ny' }} {{ "\\"q\\"" }} {{ '\\x41\\u0042\\101' }} {{ '\\q' }}
{{ 1 == 1.0 }} {{ 1 == true }} {{ '1' == 1 }} {{ none == false }} {{ [1, 2] == [1, 2] }} {{ (1, 2) == [1, 2] }} {{ {'a': 1} == {'a': 1.0} }} {{ undefined_name == none }} {{ undefined_name == other }}
{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' < 'b' }} {{ 'Z' < 'a' }} {{ [1, 2] < [1, 3] }} {{ 1 <= 1.0 }} {{ 2 >= 3 }} {{ 1 != 2 }}
{{ 'a' in 'abc' }} {{ 'a' not in 'abc' }} {{ 1 in [1, 2] }} {{ 'a' in d }} {{ 'z' in d }} {{ '' in 'a' }} {{ 1.0 in [1] }} {{ 'x' in undefined_name }}
{{ 1 and 2 }} {{ 0 and 2 }} {{ 0 or 'x' }} {{ '' or none }} {{ not 1 }} {{ not '' }} {{ not not [] }} {{ 1 if true else 2 }} {{ 1 if false else 2 }} {{ 1 if false }}| {{ 'a' if 0 else 'b' if 0 else 'c' }}
{{ true and not false or false }} {{ 1 if t and not none_value else 0 }}
{{ s[0] }} {{ s[-1] }} {{ s[1:4] }} {{ s[:3] }} {{ s[-3:] }} {{ s[::-1] }} {{ s[::2] }} {{ s[10:2:-3] }} {{ s[5:100] }} {{ u[0] }}{{ u[-1] }} {{ u[6:8] }} {{ s[3:1] }}|
{{ items_list[0] }} {{ items_list[-1] }} {{ items_list[1:] }} {{ items_list[::-1] }} {{ items_list[:-1] }} {{ items_list[5:] }} {{ (1, 2, 3)[1:] }} {{ items_list.0 }} {{ range(5)[1:3] | list }} {{ range(3)[-1] }}
{{ d.a }} {{ d['a'] }} {{ d.b[1] }} {{ d['items'] }} {{ d.c.x }} {{ d.get('a') }} {{ d.get('z') }} {{ d.get('z', 5) }} {{ d.keys() | list }} {{ d.values() | list }} {{ d.items() | list }}
{{ d.keys() }} {{ d.values() }} {{ {'a': 1}.items() }} {{ d | length }} {{ d.items() | length }}
{{ dict(a=1, b='x') }} {{ dict([('a', 1), ('b', 2)]) }} {{ dict({'a': 1}, b=2) }} {{ dict() }} {{ {'a': 1, 'a': 2} }} {{ {1: 'a', 1.0: 'b', true: 'c'} }}
{{ range(3) | list }} {{ range(1, 4) | list }} {{ range(10, 0, -3) | list }} {{ range(0) | list }} {{ range(3) | sum }} {{ range(2, 8, 2) | join(',') }}"""

FILTERS = """{{ s | upper }} {{ s | lower }} {{ 'hello wORLD' | capitalize }} {{ "it's a-test (of) [title] x" | title }} {{ u | upper }} {{ u | lower }} {{ '\u00df' | upper }}
[{{ blank | trim }}] [{{ 'xxaxx' | trim('x') }}] [{{ 'abcba' | trim('ab') }}] [{{ '\\u3000x\\u00a0' | trim }}] [{{ none | trim }}]
{{ s | replace('l', 'L') }} {{ s | replace('l', 'L', 1) }} {{ 'aaa' | replace('a', 'aa', 2) }} {{ 5 | replace('5', '6') }} {{ 'ab' | replace('', '-') }}
{{ s | length }} {{ u | length }} {{ items_list | length }} {{ items_list | count }} {{ d | count }} {{ undefined_name | length }}
{{ items_list | first }} {{ items_list | last }} {{ s | first }} {{ s | last }} {{ [] | first }}| {{ [] | last }}|
{{ items_list | join }} {{ items_list | join(', ') }} {{ people | join(', ', attribute='name') }} {{ 'abc' | join('-') }} {{ [1, none, true, 2.0] | join('|') }} {{ [] | join(',') }}|
{{ undefined_name | default('x') }} {{ none | default('x') }} {{ none | default('x', true) }} {{ '' | default('x', boolean=true) }} {{ undefined_name | d }}| {{ d.zzz | default(d.a) }} {{ 0 | d(5, true) }}
{{ items_list | sort }} {{ items_list | sort(reverse=true) }} {{ words | sort }} {{ words | sort(case_sensitive=true) }} {{ people | sort(attribute='age') | map(attribute='name') | list }} {{ people | sort(attribute='age,name', reverse=true) | map(attribute='name') | join(',') }}
{{ items_list | reverse | list }} {{ s | reverse }} {{ words | unique | list }} {{ [1, 1.0, true, 'A', 'a'] | unique | list }} {{ items_list | min }} {{ items_list | max }} {{ words | max }} {{ [] | max }}|
{{ items_list | sum }} {{ people | sum(attribute='age') }} {{ [1.5, 2] | sum(start=10) }} {{ [] | sum }}
{{ people | map(attribute='name') | list }} {{ people | map(attribute='at') | map('default', '-') | list | last }} {{ people | map(attribute='at.city', default='?') | list }} {{ words | map('upper') | list }} {{ words | map('replace', 'b', 'B') | list }} {{ ['1', '2'] | map('int') | sum }}
{{ people | selectattr('age', 'equalto', 30) | map(attribute='name') | list }} {{ people | rejectattr('age', 'gt', 25) | map(attribute='name') | list }} {{ people | selectattr('at') | list | length }} {{ people | selectattr('at', 'defined') | list | length }} {{ people | rejectattr('at', 'defined') | map(attribute='name') | first }}
{{ items_list | select('odd') | list }} {{ items_list | reject('odd') | list }} {{ [0, 1, '', 'x', none] | select | list }} {{ items_list | select('in', [1, 2]) | list }} {{ items_list | select('>', 1) | list }} {{ items_list | select('divisibleby', 3) | list }}
{% if people | selectattr('age', 'equalto', 99) %}a generator is true{% endif %}
{% set g = items_list | map('string') %}{{ g | list }} {{ g | list }}
{% for age, group in people | groupby('age') %}{{ age }}:{{ group | map(attribute='name') | join('+') }} {% endfor %}{% for g in people | groupby('at.city', default='none') %}{{ g[0] }} {% endfor %}
{{ items_list | batch(2) | list }} {{ items_list | batch(2, 0) | list }} {{ range(7) | slice(3) | list }} {{ range(7) | slice(3, 'x') | list }}
{{ d | items | list | length }} {{ {'b': 2, 'a': 1} | dictsort }} {{ {'b': 1, 'a': 2} | dictsort(by='value') }} {{ {'b': 1, 'A': 2} | dictsort(reverse=true) }} {{ {'b': 1, 'A': 2} | dictsort(true) }}
{{ '42' | int }} {{ '4.9' | int }} {{ 'x' | int }} {{ 'x' | int(-1) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ ' 7 ' | int }} {{ 'ff' | int(0, 16) }} {{ none | int }} {{ true | int }} {{ '1.5' | float }} {{ 'x' | float }} {{ 'x' | float(2.5) }} {{ 3 | float }} {{ '1e3' | float }}
{{ 2.5 | round }} {{ 3.5 | round }} {{ 2.675 | round(2) }} {{ 42.55 | round(1, 'floor') }} {{ 42.51 | round(1, 'ceil') }} {{ 5 | round }} {{ 1234.5 | round(-2) }} {{ -2.5 | round }} {{ -5 | abs }} {{ -5.5 | abs }}
{{ html | e }} {{ html | escape }} {{ html | safe }} {{ 5 | string }} {{ none | string }} {{ [1] | string }} {{ s | list }} {{ u | list }}
{{ lines | indent }}|{{ lines | indent(2, true) }}|{{ lines | indent(2, first=true, blank=true) }}|{{ lines | indent('> ') }}|{{ 'x\\n' | indent(2) }}|{{ '' | indent }}|
{{ '%s is %d and %.2f' | format('x', 5, 2.345) }} {{ '%05d|%-5s|%5s|%+d|%x|%%' | format(42, 'ab', 'cd', 3, 255) }} {{ '%(a)s-%(b)s' | format(a=1, b='z') }} {{ '%r' | format('q') }} {{ 'a%sb' % 'X' }} {{ '%s %s' % ('a', 1) }} {{ '%d' % 3.9 }} {{ '%e' % 12345.678 }} {{ '%g' % 0.0001 }} {{ '%5.1f|' % 3.14159 }} {{ '%s' % [1] }} {{ '%03.1f' % 2.55 }} {{ '%s' % none }}
[{{ 'ab' | center(7) }}] [{{ 'abc' | center(8) }}] {{ 'one two three four' | truncate(12) }} {{ 'one two three four' | truncate(12, true) }} {{ 'one two' | truncate(7) }} {{ 'one two three' | truncate(9, false, '!', 0) }} {{ 'a b  c-d' | wordcount }} {{ 'a b/c?\u00e9=' | urlencode }}
{{ d | attr('a') }}| {{ s | attr('upper') is callable }}
{{ (s | upper) ~ (s | lower | title) }} {{ s | upper | lower | replace('o', '0') | length }}
{% filter upper %}shout {{ s }}{% endfilter %} {% filter replace('a', 'b') | upper %}banana{% endfilter %}"""

JSON = """{{ d | tojson }} {{ people | tojson }} {{ html | tojson }} {{ u | tojson }} {{ u | tojson(ensure_ascii=true) }}
{{ d | tojson(indent=2) }} {{ [] | tojson(indent=2) }} {{ {} | tojson(indent=4) }} {{ [[], {}, [1]] | tojson(indent=1) }} {{ d | tojson(indent='\\t') }}
{{ d | tojson(separators=(',', ':')) }} {{ d | tojson(indent=2, separators=(', ', ' : ')) }} {{ {'b': 1, 'a': {'d': 1, 'c': 2}} | tojson(sort_keys=true) }} {{ d | tojson(indent=0) }}
{{ 1.0 | tojson }} {{ 1e100 | tojson }} {{ 0.1 | tojson }} {{ none | tojson }} {{ true | tojson }} {{ 'a"b\\\\c\\n\\t\\x08\\x0c\\r\\x01\\x7f' | tojson }} {{ (1, 2) | tojson }} {{ {1: 2, none: 3, true: 4, 1.5: 5} | tojson }}
{{ '\\u2028\\u2029/</script>' | tojson }} {{ items_list | tojson | length }} {{ {'a': [1, {'b': 2}]} | tojson(indent=2) | indent(4) }}"""

TESTS = """{{ s is defined }} {{ x is defined }} {{ x is undefined }} {{ d.zz is defined }} {{ none is none }} {{ none_value is none }} {{ x is none }} {{ none is not none }} {{ s is not defined }}
{{ s is string }} {{ 1 is string }} {{ 1 is number }} {{ true is number }} {{ 1.5 is number }} {{ '1' is number }} {{ 1 is integer }} {{ true is integer }} {{ 1.0 is integer }} {{ 1.0 is float }} {{ true is boolean }} {{ 1 is boolean }} {{ true is true }} {{ 1 is true }} {{ false is false }} {{ 0 is false }}
{{ d is mapping }} {{ [] is mapping }} {{ [] is sequence }} {{ 'a' is sequence }} {{ d is sequence }} {{ 1 is sequence }} {{ (1,) is sequence }} {{ [] is iterable }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ d is iterable }} {{ x is iterable }} {{ none is iterable }} {{ range is callable }} {{ s is callable }} {{ s.upper is callable }}
{{ 4 is even }} {{ 3 is odd }} {{ -3 is odd }} {{ 9 is divisibleby 3 }} {{ 9 is divisibleby(4) }} {{ 1 is eq 1 }} {{ 1 is equalto 2 }} {{ 1 is ne 2 }} {{ 1 is lt 2 }} {{ 1 is ge 2 }} {{ 2 is gt(1) }} {{ 1 is le 1 }} {{ 1 is in [1] }} {{ 'a' is in 'abc' }} {{ none is sameas none }} {{ true is sameas true }} {{ 1 is sameas true }}
{{ 'abc' is lower }} {{ 'ABC' is upper }} {{ 'Abc' is lower }} {{ '' is upper }} {{ '1' is lower }} {{ 'upper' is filter }} {{ 'nope' is filter }} {{ 'odd' is test }}
{{ not s is defined }} {{ 1 is number and 2 is odd }} {{ 1 + 2 is odd }} {{ s is defined and s | length > 3 }} {{ (n is odd) ~ 'x' }} {{ 'b' if n is even else 'c' }}"""

METHODS = """{{ s.upper() }} {{ s.lower() }} {{ s.title() }} {{ 'a1b c' .title() }} {{ s.swapcase() }} {{ 'x'.capitalize() }} [{{ blank.strip() }}] [{{ blank.lstrip() }}] [{{ blank.rstrip() }}] [{{ 'xxaxx'.strip('x') }}] [{{ '\\n\\nx'.lstrip('\\n') }}] [{{ 'a\\n'.rstrip() }}]
{{ s.split() }} {{ s.split(' ') }} {{ 'a,b,,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }} {{ '  a  b '.split() }} {{ '  a  b c '.split(none, 1) }} {{ '  a  b c '.rsplit(none, 1) }} {{ ''.split() }} {{ ''.split(',') }} {{ 'a<x>b<x>c'.split('<x>')[-1] }} {{ 'a b c'.split(maxsplit=1) }} {{ 'abc'.split('')|length if false else 'skip' }}
{{ s.startswith('He') }} {{ s.endswith('ld') }} {{ s.startswith(('x', 'H')) }} {{ s.startswith('lo', 3) }} {{ s.endswith('lo', 0, 5) }} {{ s.startswith('') }} {{ s.startswith('x', 99) }}
{{ s.find('o') }} {{ s.rfind('o') }} {{ s.find('zz') }} {{ s.index('W') }} {{ s.count('l') }} {{ s.count('') }} {{ u.find('\u597d') }} {{ s.find('o', 5) }} {{ s.find('o', -4, -1) }} {{ 'aaaa'.count('aa') }} {{ s.find('') }} {{ s.find('', 20) }}
{{ s.replace('o', '0') }} {{ s.replace('o', '0', 1) }} {{ 'a-b'.partition('-') }} {{ 'a-b-c'.rpartition('-') }} {{ 'ab'.partition('-') }} {{ 'ab'.rpartition('-') }} {{ ', '.join(['a', 'b']) }} {{ ''.join(words) }} {{ '-'.join('abc') }}
{{ 'prefix-x'.removeprefix('prefix-') }} {{ 'x.py'.removesuffix('.py') }} {{ 'x'.removeprefix('y') }} [{{ 'a'.ljust(3) }}] [{{ 'a'.rjust(3, '.') }}] [{{ 'a'.center(4) }}] [{{ 'ab'.center(5, '*') }}] {{ '42'.zfill(5) }} {{ '-42'.zfill(5) }} {{ 'a'.zfill(0) }}
{{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ 'a1'.isalnum() }} {{ ' '.isspace() }} {{ 'ab'.islower() }} {{ 'AB'.isupper() }} {{ 'Ab Cd'.istitle() }} {{ ''.isdigit() }} {{ 'ab'.isascii() }} {{ u.isascii() }} {{ 'a_1'.isidentifier() }} {{ '1a'.isidentifier() }} {{ '1.5'.isdecimal() }} {{ '12'.isnumeric() }} {{ '\u4f60'.isalpha() }}
{{ 'a\\nb\\r\\nc\\n'.splitlines() }} {{ 'a\\nb'.splitlines(true) }} {{ ''.splitlines() }} {{ lines.splitlines() | length }}
{{ '{} {}'.format(1, 'a') }} {{ '{0}{1}{0}'.format('a', 'b') }} {{ '{x} {y[0]} {z.a}'.format(x=1, y=[2], z={'a': 3}) if false else '' }} {{ '{x}'.format(x='q') }} {{ '{:>5}|{:<5}|{:^5}|{:*^7}'.format('a', 'b', 'c', 'd') }} {{ '{:05d} {:,} {:.2f} {:x} {:%} {:+}'.format(42, 1234567, 3.14159, 255, 0.25, 5) }} {{ '{{}}'.format() }} {{ '{!r}'.format('a') }} {{ '{:.3}'.format('abcdef') }} {{ '{:e} {:g} {}'.format(1234.5, 0.00001, 2.0) }} {{ '{:d}'.format(true) }} {{ '{:>6.1f}|'.format(2.25) }} {{ '{y[0]} {y[k]}'.format(y={'k': 1, 0: 2}) }} {{ '{0[1]}'.format([5, 6]) }}
{{ [1, 2, 1].count(1) }} {{ [1, 2].index(2) }} {{ (1, 2).index(2) }} {{ d.copy() | length }} {{ 'a'.upper().lower().upper() }} {{ s['upper']() }} {{ people[0].name.upper() }} {{ people[0]['at']['city'][0] }}"""

STATEMENTS = [
    "{% for x in items_list %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for x in items_list %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {{ loop.cycle('a', 'b') }} {{ loop.changed(x > 1) }};{% endfor %}",
    "{% for x in items_list if x > 1 %}{{ x }}/{{ loop.length }} {% else %}none{% endfor %}{% for x in [] %}{% else %}empty{% endfor %}{% for x in undefined_name %}{% else %}undefined{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in u %}[{{ c }}]{% endfor %}{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for x in range(10) %}{% if x == 2 %}{% continue %}{% endif %}{% if x == 5 %}{% break %}{% endif %}{{ x }}{% endfor %}",
    "{% for a in [1, 2] %}{% for b in [3, 4] %}{{ loop.index }}{{ loop.depth }}{% if b == 3 %}{% continue %}{% endif %}{{ a }}{{ b }} {% endfor %}{{ loop.index }}{% endfor %}",
    "{% for item in [{'v': 1, 'c': [{'v': 2, 'c': []}]}, {'v': 3, 'c': []}] recursive %}{{ loop.depth }}:{{ item.v }}[{{ loop(item.c) }}]{% endfor %}",
    "{% set x = 1 %}{% for i in [1, 2] %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}{{ x }}",
    "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}{% with x = 3, y = x %}{{ x }}{{ y }}{% set x = 9 %}{% endwith %}{{ x }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set (p, q) = 'xy' %}{{ p }}{{ q }}{% set e = (1) %}{{ e }}",
    "{% set ns = namespace(x=0, found=false) %}{% for i in items_list %}{% set ns.x = ns.x + i %}{% if i == 1 %}{% set ns.found = true %}{% endif %}{% endfor %}{{ ns.x }}{{ ns.found }}{{ ns.nope is defined }}{{ ns['x'] }}",
    "{% set ns = namespace({'a': 1}) %}{{ ns.a }}{% set ns.b = [1] %}{{ ns.b }}{% set ns.a, y = 5, 6 %}{{ ns.a }}{{ y }}",
    "{% set block %}text {{ s }} {% set inner = 1 %}{% endset %}[{{ block }}]{{ inner is defined }}{% set up | upper | replace('T', 'x') %}tt{% endset %}{{ up }}",
    "{% macro m(a, b=2, c='x' ~ a) %}{{ a }}-{{ b }}-{{ c }};{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(1, c=4) }}{{ m(a=5) }}{{ m() }}{{ m(1) | length }}{{ (m(1) ~ 'y') | upper }}",
    "{% macro v() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ v(1, 2, x=3) }}{{ v() }}",
    "{% macro box(t) %}<{{ t }}>{{ caller() }}</{{ t }}>{% endmacro %}{% call box('b') %}in {{ s }}{% endcall %}{% macro each(xs) %}{% for x in xs %}{{ caller(x, loop.index) }}{% endfor %}{% endmacro %}{% call(x, i) each([7, 8]) %}({{ x }}@{{ i }}){% endcall %}",
    "{% macro fact(n) %}{% if n <= 1 %}1{% else %}{{ n * (fact(n - 1) | int) }}{% endif %}{% endmacro %}{{ fact(10) }}",
    "{% set x = 1 %}{% macro m() %}{{ x }}{% endmacro %}{% set x = 2 %}{{ m() }}{% for x in [3] %}{{ m() }}{{ x }}{% endfor %}",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}late{% endmacro %}{{ a() }}{% macro outer() %}{% macro inner() %}i{% endmacro %}{{ inner() }}{% endmacro %}{{ outer() }}{{ inner is defined }}",
    "{% if n > 10 %}a{% elif n > 5 %}b{% else %}c{% endif %}{% if not n %}x{% elif none %}y{% endif %}{% if n is odd and (s or t) %}z{% endif %}",
    "a {# comment #} b {#- both -#} c {#\nlines #}\nd",
    "  {% if true %}\n  x\n  {% endif %}\ny\n",
    "  {%- if true -%}\n  x\n  {%- endif -%}\n  y",
    "  {%+ if true %}  x{% endif +%}\n y {{- s -}} z\n\n{{ s }}\n{{- s }}\n",
    "{% for x in [1, 2] %}\n  {{ x }}\n{% endfor %}\nend\n\n",
    "\n\n{% if true %}\n\n  a\n\n{% endif %}\n\nb",
    "x  {% if true %}  y  {% endif %}  z\n\t{# c #}\n\tw\n  {# c #} v",
    "{% raw %}{{ not }} {% run %} {# kept #}{% endraw %}|{%- raw -%}  a  {%- endraw -%}  b{% raw %}\nx\n{% endraw %}\ny",
    "{{ '}}' }}{{ '%}' }}{{ {'a': {'b': 1}}['a'] }}{{ [[1], [2]][1][0] }}{{ \"{{ x }}\" }}",
    "a\r\nb\rc\n{% if true %}\r\nd{% endif %}\r\n",
    "{{ s\n  | upper\n}}{%\n if true\n%}x{% endif %}",
    "{% generation %}gen {{ s }}{% set z = 1 %}{% endgeneration %}{{ z is defined }}{% for m in [1] %}{% generation %}{{ m }}{% endgeneration %}{% endfor %}",
    "{% block title %}in {{ s }}{% endblock %}{% block b scoped %}x{% endblock b %}",
    "{% print s, n %}{% print 1 %}",
    "{{ '<'|safe + html + '>' }} {{ html + '<'|safe }} {{ ('<'|e) + '<' }} {{ ('<'|safe) ~ '<' }} {{ '<'|e|e }} {{ '<'|e|forceescape }} {{ ['<'|safe, '<']|join }} {{ ('<'|safe) * 2 }}",
    "{{ 'x' is odd }}{{ '%s' is even }}{{ [1, 2] | truncate(5) }}{{ '%d' % 3 }}{{ 'x' % d }}{{ 'x' % items_list }}",
    "{% if s: %}colon{% endif %}",
    "{{ messages | length }}{{ messages[0].role }}{{ tools }}{{ documents }}{{ add_generation_prompt }}{{ bos_token is defined }}",
    "{{ strftime_now('%d %b %Y') }} {{ strftime_now('%Y-%m-%d %H:%M:%S %A %B %j %%') }}",
    "{{ (1, 2,) }}{{ [1, 2,] }}{{ {'a': 1,} }}{{ dict(a=1,) }}{{ dict(**{'k': 1}) }}{{ range(*[1, 3]) | list }}",
    "{% set f = s.upper %}{{ f() }}{% set r = range %}{{ r(2) | list }}{% set m = d.get %}{{ m('a') }}",
    "{{ d.__class__ }}|{{ (''.__class__.__mro__ is defined) if false else 'x' }}|{{ [].append is defined }}",
    "{{ (x.y is defined) if (x is defined) else 'guarded' }}{{ (x or {}).y is defined }}{{ x and x.y }}",
    "{% for p in people %}{{ p.name if not loop.first else p.name | upper }}{{ ', ' if not loop.last }}{% endfor %}",
    "{% for p in people | rejectattr('at', 'undefined') %}{{ p.at.city }} {% endfor %}{% for p in people[1:] %}{{ loop.index0 }}{% endfor %}{% for p in people[::-1] %}{{ p.name }}{% endfor %}",
    "{% set xs = [] %}{% set xs = xs + [1] %}{% set xs = xs + ['a'] %}{{ xs }}{% set o = dict(d, z=1) %}{{ o.z }}{{ d.z is defined }}",
    "{{ 'a' if x }}{{ ('a' if x) is undefined }}{{ [x, 1] }}{{ [x] | join }}{{ {'k': x} }}",
    "{{ true|string|lower }}{{ (1 == 1)|lower }}{{ [true, none]|tojson }}{{ none ~ true }}",
    "{%- set role_map = {'user': 'U', 'assistant': 'A'} -%}{{ role_map['user'] }}{{ role_map[messages[0]['role']] }}{{ role_map.nobody }}",
    "{{ 1 if 0 else 2 if 0 else 3 }}{{ [1 if t else 2, 3] }}{{ (s | length) // 2 }}{{ -n // 2 }}{{ n % 2 == 1 }}{{ 'x' ~ (n + 1) }}{{ 1 ~ 2 * 3 }}",
    "",
    "\n",
    "plain text, { braces } and {% raw %}{%{% endraw %} % } done",
]

ERRORS = [
    "{{ raise_exception('My own words: ' ~ s) }}",
    "{{ raise_exception(5) }}",
    "{% if messages[0].role != 'system' %}\n{{ raise_exception('System first!') }}{% endif %}",
    "{{ undefined_name.x }}", "{{ x is defined if t else 1 }}", "{{ 'x' ~ n + 1 }}", "{{ d.missing.x }}", "{{ undefined_name() }}", "{{ undefined_name + 1 }}", "{{ undefined_name['x'] }}",
    "{{ s + 1 }}", "{{ 1 + s }}", "{{ none.x.y }}", "{{ 1 < 'a' }}", "{{ [1] + (1,) }}", "{{ d + d }}", "{{ -s }}", "{{ none | length }}",
    "{{ 1 // 0 }}", "{{ 1 % 0 }}", "{{ 1 / 0 }}", "{{ 1.0 / 0 }}", "{{ s[::0] }}", "{{ 1 in 'a' }}", "{{ 1 in 2 }}", "{{ 'a' in none }}", "{{ {[]: 1} }}", "{{ [] in d }}", "{{ d.get([]) }}", "{{ n[1:] }}", "{{ d[1:] }}", "{{ n | indent }}", "{{ missing | indent }}", "{{ n | truncate(5) }}",
    "{% for x in 5 %}{% endfor %}", "{% for x in none %}{% endfor %}", "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}", "{% set a, b = 'x' %}",
    "{{ s() }}", "{{ s.nope() }}", "{{ s | nope }}", "{{ s is nope }}", "{{ nope(1) }}", "{{ d.items.x.y }}", "{{ s.split(1) }}", "{{ s.split('') }}", "{{ s.index('zz') }}", "{{ ', '.join([1]) }}",
    "{{ [].append(1) }}", "{{ d.update({'a': 2}) }}", "{{ d.pop('a') }}", "{% set d.x = 1 %}", "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "{{ undefined_name | tojson }}", "{{ range | tojson }}", "{{ (items_list | map('string')) | tojson }}", "{{ items_list | map('string') | length }}", "{{ (items_list | map('string'))[0].x }}",
    "{{ range(1000000) }}", "{{ '%d' % 'x' }}", "{{ '%s %s' % 'x' }}", "{{ '%s' % (1, 2) }}", "{{ '{} {}'.format(1) }}", "{{ '{'.format() }}", "{{ '{:d}'.format('x') }}", "{{ '{:q}'.format(1) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=1) }}", "{{ [3, 'a'] | sort }}", "{{ 'x' | round }}", "{{ s | indent(x=1) }}", "{{ s | replace('a') }}", "{{ items_list | map | list }}",
    "{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}",
    "{% if %}x{% endif %}", "{% if true %}x", "{% endif %}", "{% for x in %}{% endfor %}", "{% nope %}", "{{ 1 + }}", "{{ (1 }}", "{{ [1 }}", "{{ 'a }}", "{{ a b }}", "{{ }}", "{% set x %}", "{% set 1 = 2 %}", "{% set none = 1 %}",
    "{{ 1 is 2 }}", "{{ x is defined is defined }}", "{# open", "{% raw %} open", "{{ $ }}", "{{ a.b. }}", "{{ f(a=1, 2) }}", "{{ f(**a, b) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{{ '\\x4' }}", "{{ ] }}", "{{ (] }}", "{{ x", "{% if x", "{% call 5 %}{% endcall %}", "{{ 1 if }}", "{{ not }}", "{% else %}", "{% for x in y %}{% elif %}{% endfor %}", "{% block %}{% endblock %}", "{{ a..b }}", "{{ a.'b' }}", "{{ s | }}", "{{ | upper }}", "{{ {1} }}", "{{ a ? b : c }}", "{{ a && b }}", "{{ !a }}", "{{ 1..2 }}", "{% with x %}{% endwith %}",
]

CASES = [line for part in (PRINTING, FILTERS, JSON, TESTS, METHODS) for line in part.split("\n")] + STATEMENTS + ERRORS
