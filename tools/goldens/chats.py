"""Chats that templates are shown with: plain, system, several turns, tools, documents, difficult text, refused ones."""

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city, \"now\" & <soon>",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Name, as in K\u00f6ln"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
                "days": {"type": "integer", "minimum": 1},
            },
            "required": ["city"],
        },
        "return": {"type": "string", "description": "A sentence"},
    },
}
CLOCK = {
    "type": "function",
    "function": {"name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}},
}
DOCUMENTS = [
    {"title": "Rain", "text": "It rains on 163 days a year.", "doc_id": 1},
    {"title": "Sun & <sky>", "text": "The sun shines for 4.5 hours a day.", "doc_id": 2},
]


def user(content):
    return {"role": "user", "content": content}


def assistant(content, **more):
    return {"role": "assistant", "content": content, **more}


def call(name, arguments, call_id):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


SYSTEM = {"role": "system", "content": "You answer in one sentence."}
TURNS = [user("Hi"), assistant("Hello!"), user("What is 2 + 2?"), assistant("4."), user("And 3 + 3?")]
CALLED = [
    user("How is the weather in K\u00f6ln?"),
    assistant("", tool_calls=[call("get_weather", {"city": "K\u00f6ln", "days": 2}, "abcdefghi")]),
]
ANSWERED = [
    *CALLED,
    {"role": "tool", "name": "get_weather", "tool_call_id": "abcdefghi", "content": "21.5 \u00b0C, <dry>"},
]
TWICE = [
    user("Here and there?"),
    assistant(None, tool_calls=[call("get_weather", {"city": "Bonn"}, "call00001"), call("now", {}, "call00002")]),
    {"role": "tool", "name": "get_weather", "tool_call_id": "call00001", "content": {"degrees": 12, "dry": True}},
    {"role": "tool", "name": "now", "tool_call_id": "call00002", "content": "12:00"},
    assistant("Dry, at noon."),
    user("Thanks"),
]
PARTS = [user([{"type": "text", "text": "First. "}, {"type": "image"}, {"type": "text", "text": "Second."}])]

# name: (messages, options of apply_chat_template)
CHATS = {
    "plain": ([user("Hello, how are you?")], {}),
    "generate": ([user("Hello, how are you?")], {"add_generation_prompt": True}),
    "system": ([SYSTEM, user("Hi")], {"add_generation_prompt": True}),
    "turns": (TURNS, {"add_generation_prompt": True}),
    "system_turns": ([SYSTEM, *TURNS], {}),
    "difficult_text": (
        [user("  <b>&amp; \"quotes\" 'single'</b>\n\n\u4f60\u597d \U0001f44b\u0000\\n {{ x }} {% if %} \u00a0 ")],
        {"add_generation_prompt": True},
    ),
    "empty": ([user(""), assistant(""), user(" ")], {"add_generation_prompt": True}),
    "no_content": ([user("Hi"), assistant(None), user("Still there?")], {}),
    "parts": (PARTS, {"add_generation_prompt": True}),
    "answered": ([user("Hi"), assistant("Hello! ")], {}),
    "continued": ([user("Count to five."), assistant("1, 2, ")], {"continue_final_message": True}),
    "thought": (
        [user("2 + 2?"), assistant("<think>\nEasy.\n</think>\n\n4."), user("3 + 3?")],
        {"add_generation_prompt": True},
    ),
    "reasoned": ([user("2 + 2?"), assistant("4.", reasoning_content="Easy.")], {}),
    "no_thinking": ([user("2 + 2?")], {"add_generation_prompt": True, "enable_thinking": False, "thinking": False}),
    "dated": ([user("Hi")], {"date_string": "01 Jan 2025"}),
    "tools": ([user("How is the weather?")], {"tools": [WEATHER, CLOCK], "add_generation_prompt": True}),
    "system_tools": ([SYSTEM, user("How is the weather?")], {"tools": [WEATHER], "add_generation_prompt": True}),
    "no_tools": ([user("How is the weather?")], {"tools": [], "add_generation_prompt": True}),
    "called": (CALLED, {"tools": [WEATHER]}),
    "tool_answered": (ANSWERED, {"tools": [WEATHER], "add_generation_prompt": True}),
    "called_twice": (TWICE, {"tools": [WEATHER, CLOCK], "add_generation_prompt": True}),
    "documents": ([user("How much rain?")], {"documents": DOCUMENTS, "add_generation_prompt": True}),
    "two_users": ([user("One"), user("Two")], {"add_generation_prompt": True}),
    "assistant_first": ([assistant("I begin."), user("Go on")], {}),
    "late_system": ([user("Hi"), SYSTEM], {}),
    "unknown_role": ([{"role": "critic", "content": "No."}], {}),
}
