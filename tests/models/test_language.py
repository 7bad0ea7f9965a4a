"""Language models: the script is kept, an endpoint is hostile until parsed, a local one says what torch says."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affetto.core import catalog
from affetto.core.answering import NONE, bare, chosen, refused, written
from affetto.core.card import Card, read_card
from affetto.core.errors import CatalogError, MalformedError, UnknownNameError, UnreadableError
from affetto.core.language import LanguageModel, Message, NoAnswerError, Sampling
from affetto.models.reason import endpoint, local, scripted
from affetto.models.reason.endpoint import EndpointModel, EndpointOptions
from affetto.models.reason.language import named
from affetto.models.reason.scripted import REFUSAL, Confused, Faults, ScriptedModel

NAMES = ("sad", "angry", "proud", "afraid")
ASKED = (Message("system", "Be kind."), Message("user", "My dog died."))


def asked(model, text):
    return model.generate((Message("user", text),))


# What a model wrote is read.


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("sad", "sad"),
        ("  **Sad**. ", "sad"),
        ("\u201cSAD\u201d", "sad"),
        ("Answer: sad", "sad"),
        ('Sure!\n```json\n{"emotion": "Sad", "why": "angry words"}\n```\nHope that helps', "sad"),
        ('{"emotions": ["sad"]}', "sad"),
        ("She seems not angry but sad", "sad"),
        ("Let me think: anger is near.\nSad", "sad"),
        ("sorrowful", "sad"),
        ("She is sad or angry", ""),
        ("saddest", ""),
        ("{broken json sad", "sad"),
        ("", ""),
        ("\x00\ud83d \u202e", ""),
        ("none of these", ""),
        (REFUSAL, ""),
        ("[" * 5000, ""),
    ],
)
def test_a_choice_is_read_however_it_is_dressed(answer, name):
    assert chosen(answer, NAMES, {"sad": ("sorrowful",), "angry": ("mad",)}).name == name


@pytest.mark.parametrize(
    "answer", [NONE, "None of these.", '"none of the above"', "None", "None of them fits", '{"a": "None of these"}']
)
def test_a_rejection_of_all_is_no_choice(answer):
    assert chosen(answer, NAMES).rejected


def test_a_word_that_stands_for_two_choices_stands_for_none():
    assert chosen("worried", ("anxious", "afraid"), {"anxious": ("worried",), "afraid": ("worried",)}).name == ""


def test_kind_words_are_no_refusal():
    assert refused(REFUSAL) and refused("As an AI language model, I have no feelings.")
    assert refused("I won\u2019t answer that.")
    for text in (
        "I'm so sorry, I can't imagine how hard that was.",
        "I can't help but smile!",
        "You can answer later.",
    ):
        assert not refused(text)


@given(st.text(max_size=300))
def test_any_text_is_read(text):
    assert chosen(text, NAMES).name in ("", *NAMES)
    assert isinstance(refused(text), bool)
    assert "\n" not in written(text) and bare(text) == bare(text).strip()


@pytest.mark.parametrize(
    "answer",
    ['"I am sorry."', "Reply: I am sorry.", '{"reply": "I am sorry."}', "I am\n sorry.", "\u201cI am sorry.\u201d"],
)
def test_a_reply_is_undressed(answer):
    assert written(answer) == "I am sorry."


# The scripted one.


def test_rules_answer_in_their_order_and_expand_what_they_found():
    model = ScriptedModel(rules=(("died", "I am sorry."), (r"my (\w+)", r"Your \1?")), otherwise="Hm.")
    assert isinstance(model, LanguageModel)
    assert model.generate(ASKED) == "I am sorry."
    assert asked(model, "It is my cat") == "Your cat?"
    assert asked(model, "Hello") == "Hm."
    assert model.generate(ASKED, Sampling(most_tokens=2)) == "I am"


def test_faults_come_in_their_shares_and_the_same_prompt_gets_the_same():
    model = ScriptedModel(
        otherwise="yes", faults=Faults(refusal=0.2, silence=0.2, nothing=0.1, nonsense=0.1, prose=0.1), seed=3
    )

    def say(k):
        try:
            return asked(model, f"question {k}")
        except NoAnswerError as error:
            return str(error)

    said = [say(k) for k in range(1000)]
    assert said == [say(k) for k in range(1000)]
    shares = {
        0.2: sum(one == REFUSAL for one in said),
        0.2001: sum("in time" in one for one in said),
        0.1: sum(one == "" for one in said),
        0.1001: sum('"answer": "yes"' in one for one in said),
        0.3: sum(one == "yes" for one in said),
    }
    for share, count in shares.items():
        assert count / 1000 == pytest.approx(share, abs=0.045)
    with pytest.raises(MalformedError, match="at most 1"):
        Faults(refusal=0.6, silence=0.6)


def test_the_confused_one_errs_as_its_matrix_says():
    matrix = np.array([[0.5, 0.3, 0.2, 0], [0.1, 0.7, 0.1, 0.1], [0, 0, 1, 0], [0.25, 0.25, 0.25, 0.25]])
    prompt = f"What was felt?\nChoices: {', '.join(NAMES)}"
    said = [Confused("sad", NAMES, matrix, key=str(k))(prompt) for k in range(3000)]
    for k, name in enumerate(NAMES):
        assert said.count(name) / 3000 == pytest.approx(matrix[0, k], abs=0.03)


def test_the_confused_one_is_the_same_mind_when_asked_again_with_fewer_choices():
    matrix = np.full((4, 4), 0.25)
    for k in range(50):
        mind = Confused("sad", NAMES, matrix, key=str(k), doubts=0)
        first = mind(f"Choices: {', '.join(NAMES)}")
        assert mind(f"Choices: {first}, angry") == first
        assert mind("Choices: sad, angry, none of these") in ("sad", "angry")
    rejected = [
        Confused("sad", NAMES, matrix, key=str(k), misses=0.4)("Choices: angry, none of these") for k in range(1000)
    ]
    assert rejected.count("none of these") / 1000 == pytest.approx(0.6, abs=0.05)
    assert Confused("sad", NAMES, matrix)("Write a reply.") == "I see."
    with pytest.raises(MalformedError, match="sum to 1"):
        Confused("sad", NAMES, np.ones((4, 4)))


def test_the_scripted_one_scores_and_shows_states():
    model = ScriptedModel(likely={"Great!": -0.5})
    assert model.score("I won.", "Great!") == -0.5
    assert model.score("my dog died", "your dog died") > model.score("my dog died", "nice weather today")
    assert model.hidden("my dog").shape == (3, 2, 8)
    with pytest.raises(NoAnswerError, match="without words"):
        model.score("a", "...")


def test_messages_and_samplings_refuse_what_they_are_not():
    with pytest.raises(MalformedError, match="role"):
        Message("boss", "Work!")
    with pytest.raises(MalformedError, match="temperature"):
        Sampling(temperature=-1)


def test_cards_load_and_names_mean_models(tmp_path):
    card = Card("fake.language", "language", "1", "Fake", facts={"rules": [["hello", "Hi."]]})
    assert asked(scripted.load(card), "Hello") == "Hi."
    assert asked(scripted.load(card), "Choices: b, a") == "b"
    with pytest.raises(UnknownNameError):
        named("no.such.model")
    with pytest.raises(CatalogError, match="is no language model"):
        named("fake")
    assert named("http://localhost:9/v1#tiny").name == "tiny@localhost:9"


@pytest.mark.skipif("fake.language" not in catalog.cards(), reason="its card lies not in the catalog yet")
def test_the_fake_of_the_catalog_is_a_language_model():
    assert isinstance(named("fake.language"), LanguageModel)


# An endpoint, over a real socket.


@contextmanager
def serving(answer):
    """Serve on a free port; `answer` gets the handler and its JSON, and answers by itself."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            seen.append((self.path, body, dict(self.headers)))
            self.close_connection = True
            with suppress(BrokenPipeError, ConnectionResetError):
                answer(self, body, len(seen))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler, plain, code=200, **headers):
    body = plain if isinstance(plain, bytes) else json.dumps(plain).encode()
    handler.send_response(code)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def chat(text, **more):
    return {"choices": [{"message": {"role": "assistant", "content": text, **more}}]}


def at(url, **more):
    return EndpointModel(EndpointOptions(url, "tiny", **({"pause": 0.01, "patience": 5.0} | more)))


def test_an_endpoint_is_asked_as_openai_has_it():
    with serving(lambda handler, body, n: send(handler, chat("I am so sorry."))) as (url, seen):
        model = at(url)
        assert isinstance(model, LanguageModel)
        assert model.generate(ASKED, Sampling(most_tokens=9, temperature=0.5, seed=4)) == "I am so sorry."
    path, body, headers = seen[0]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "My dog died."}]
    assert (body["model"], body["max_tokens"], body["temperature"], body["seed"]) == ("tiny", 9, 0.5, 4)
    assert "Authorization" not in headers


def test_the_key_comes_from_the_environment_and_shows_nowhere(monkeypatch):
    monkeypatch.setenv("MY_KEY", "secret-123")
    with serving(lambda handler, body, n: send(handler, {"error": {"message": "no\x1b[31m such\nmodel"}}, 404)) as (
        url,
        seen,
    ):
        model = at(url, key="MY_KEY")
        with pytest.raises(NoAnswerError) as caught:
            model.generate(ASKED)
        assert seen[0][2]["Authorization"] == "Bearer secret-123"
        assert "secret" not in str(caught.value) + repr(model)
        assert "answered 404: no[31m such model" in str(caught.value)
        assert len(seen) == 1
        for bad in ("", "two\nlines"):
            monkeypatch.setenv("MY_KEY", bad)
            with pytest.raises(NoAnswerError, match="set the environment variable MY_KEY"):
                model.generate(ASKED)
        assert len(seen) == 1


def test_no_proxy_stands_before_this_machine(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(lambda handler, body, n: send(handler, chat("here"))) as (url, _):
        assert at(url).generate(ASKED) == "here"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "file:///etc/passwd",
        "ftp://x/v1",
        "http://",
        "http://u:p@x/v1",
        "http://x/v1?key=1",
        "http://x y/",
        "http://x:99999/v1",
        "http://[::1/v1",
    ],
)
def test_what_is_no_address_is_refused(url):
    with pytest.raises(CatalogError, match="endpoint"):
        EndpointOptions(url)


def test_a_key_is_not_sent_in_the_clear_to_others():
    with pytest.raises(CatalogError, match="https"):
        EndpointOptions("http://example.org/v1", key="MY_KEY")
    assert EndpointOptions("http://[::1]:80/v1", key="MY_KEY") and EndpointOptions(
        "https://example.org/v1", key="MY_KEY"
    )


def test_trouble_that_may_be_over_soon_is_asked_again_and_no_oftener_than_allowed():
    def late(handler, body, n):
        send(handler, chat("here"), 200) if n == 3 else send(handler, b"oops", (429, 503)[n - 1], Retry_After="0")

    with serving(late) as (url, seen):
        assert at(url).generate(ASKED) == "here"
    with serving(lambda handler, body, n: send(handler, b"oops", 500)) as (url, seen):
        with pytest.raises(NoAnswerError, match=r"tiny@127.* answered 500"):
            at(url, tries=2).generate(ASKED)
        assert len(seen) == 2


def test_a_server_that_asks_for_more_time_than_there_is_is_not_waited_for():
    began = time.monotonic()
    busy = serving(lambda handler, body, n: send(handler, b"", 429, Retry_After="3600"))
    with busy as (url, seen), pytest.raises(NoAnswerError, match="429"):
        at(url, patience=2.0).generate(ASKED)
    assert len(seen) == 1 and time.monotonic() - began < 2


def silent(handler, body, n):
    time.sleep(1.2)


def dripping_body(handler, body, n):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    for _ in range(30):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.04)


def dripping_head(handler, body, n):
    for sign in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 20:
        handler.wfile.write(bytes([sign]))
        handler.wfile.flush()
        time.sleep(0.04)


@pytest.mark.parametrize("answer", [silent, dripping_body, dripping_head])
def test_patience_ends_whatever_a_server_does(answer):
    with serving(answer) as (url, seen):
        began = time.monotonic()
        with pytest.raises(NoAnswerError, match=r"did not (answer|finish)"):
            at(url, patience=0.3).generate(ASKED)
        assert time.monotonic() - began < 1
        assert len(seen) == 1


def cut(handler, body, n):
    whole = json.dumps(chat("I am so sorry.")).encode()
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    handler.wfile.write(whole[:-20])


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (cut, "broke off"),
        (lambda h, b, n: send(h, json.dumps(chat("sorry")).encode()[:-9]), "something else than the JSON"),
        (lambda h, b, n: send(h, b"<html>"), "something else than the JSON"),
        (lambda h, b, n: send(h, b"[" * 100_000), "something else than the JSON"),
        (lambda h, b, n: send(h, {"choices": []}), "something else than the JSON"),
        (lambda h, b, n: send(h, {"choices": ["text"]}), "something else than the JSON"),
        (lambda h, b, n: send(h, chat({"odd": 1})), "without words"),
        (lambda h, b, n: send(h, b"x" * 200_000), "more than 100,000 bytes"),
        (lambda h, b, n: send(h, chat(None, refusal="I will not.")), "refused: I will not."),
        (lambda h, b, n: send(h, b"", 307, Location="http://127.0.0.1:9/"), "307: it has moved"),
        (lambda h, b, n: send(h, b"", 302, Location="file:///etc/passwd"), "302: it has moved"),
        (lambda h, b, n: h.wfile.write(b"SSH-2.0 hello\r\n"), "not reached"),
    ],
)
def test_what_is_no_answer_is_one_sentence(answer, says):
    with serving(answer) as (url, _):
        with pytest.raises(NoAnswerError, match=says) as caught:
            at(url, most_bytes=100_000, tries=2).generate(ASKED)
        assert "\n" not in str(caught.value)


def test_an_empty_answer_is_empty_and_parts_are_joined():
    with serving(lambda h, b, n: send(h, chat("" if n == 1 else [{"type": "text", "text": "a"}, {"text": "b"}]))) as (
        url,
        _,
    ):
        assert [at(url).generate(ASKED) for _ in range(2)] == ["", "ab"]


def test_nobody_there_is_said():
    with serving(lambda h, b, n: None) as (url, _):
        pass
    with pytest.raises(NoAnswerError, match="was not reached"):
        at(url).generate(ASKED)


def test_an_endpoint_scores_by_echo():
    def echo(handler, body, n):
        text = body["prompt"]
        starts = [0, 3, 6, 10]
        table = {
            "tokens": ["My ", "dog", " die", "d."],
            "text_offset": starts,
            "token_logprobs": [None, -3.0, -1.0, -2.0],
        }
        send(handler, {"choices": [{"text": text, "logprobs": table if n < 4 else None}]})

    with serving(echo) as (url, seen):
        assert at(url).score("My dog", " died.") == pytest.approx(-1.5)
        assert at(url).score("My dog di", "ed.") == pytest.approx(-1.5)
        assert at(url).score("My dog die", "d.") == pytest.approx(-2.0)
        with pytest.raises(NoAnswerError, match="gives no likelihoods"):
            at(url).score("My dog", " died.")
        with pytest.raises(NoAnswerError, match="no hidden states"):
            at(url).hidden("My dog")
    assert seen[0][0] == "/v1/completions"
    assert (seen[0][1]["echo"], seen[0][1]["max_tokens"]) == (True, 0)


def test_an_endpoint_may_be_a_card(tmp_path):
    facts = {"url": "http://localhost:8000/v1", "model": "tiny", "patience": 3}
    card = Card("my.endpoint", "language", "1", "Mine", facts=facts)
    assert endpoint.load(card).options.patience == 3
    for wrong in ({}, {"url": 7}, {"url": "http://x/v1", "tries": "many"}):
        with pytest.raises(CatalogError, match=r"my\.endpoint wants"):
            endpoint.load(Card("my.endpoint", "language", "1", "Mine", facts=wrong))


# A local one.


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Save a tiny random GPT-2 and a tokenizer of words; return its folder."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("hub") / "tiny"
    words = ["<end>", "<unk>", *"my dog died . i am so sorry glad user assistant system : won".split()]
    inner = Tokenizer(models.WordLevel({word: k for k, word in enumerate(words)}, unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<end>", eos_token="<end>", unk_token="<unk>"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(5)
    config = transformers.GPT2Config(
        vocab_size=len(words),
        n_positions=32,
        n_embd=16,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        initializer_range=1.0,
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def test_a_local_model_scores_as_torch_does(tiny):
    import torch
    import transformers

    model = named(str(tiny))
    assert isinstance(model, LanguageModel) and model.name == "tiny"
    network = transformers.GPT2LMHeadModel.from_pretrained(tiny).eval()
    ids = torch.tensor([[0, 2, 3, 4, 5]])
    with torch.inference_mode():
        sure = torch.log_softmax(network(ids).logits[0].double(), -1)
    assert model.score("my dog", " died .") == pytest.approx(float((sure[2, 4] + sure[3, 5]) / 2), abs=1e-4)
    assert model.score("", "my") == pytest.approx(float(sure[0, 2]), abs=1e-4)
    with pytest.raises(NoAnswerError, match="without words"):
        model.score("my dog", "")
    long = model.score("my dog died . " * 50, "i am so sorry")
    assert np.isfinite(long) and long < 0


def test_a_local_model_writes_and_shows_states(tiny):
    model = named(str(tiny))
    options = Sampling(most_tokens=8, temperature=1.5, seed=3)
    assert model.generate(ASKED, options) == model.generate(ASKED, options)
    assert len({model.generate(ASKED, Sampling(8, 1.5, seed)) for seed in range(6)}) > 1
    assert isinstance(model.generate((Message("user", "so sad \ud83d " * 200),), Sampling(4)), str)
    states = model.hidden("my dog died")
    assert states.shape == (3, 3, 16) and states.dtype == np.float32
    with pytest.raises(NoAnswerError, match="reads 32 tokens"):
        model.generate(ASKED, Sampling(most_tokens=99))


def test_a_local_model_may_be_a_card_and_what_is_none_is_refused(tiny, tmp_path):
    text = 'id = "my.tiny"\nkind = "model"\nversion = "1"\ntitle = "Tiny"\nhub = "tiny"\n'
    (tiny.parent / "my.tiny.toml").write_text(text)
    card = read_card(tiny.parent / "my.tiny.toml")
    assert local.load(card).card == card
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableError, match="is no language model"):
        named(str(tmp_path / "empty"))
    with pytest.raises(CatalogError, match="wants hub"):
        local.load(Card("my.none", "language", "1", "None"))


def test_the_hub_is_not_asked_unless_allowed(monkeypatch):
    pytest.importorskip("transformers")
    monkeypatch.delenv("AFFETTO_NETWORK", raising=False)
    with pytest.raises(UnreadableError, match="is not on this machine"):
        named("nobody/nothing@abc123")
