"""Trains the model that ships with Paluku and writes it as GGUF: python train.py [--steps N] [--out FILE.gguf].

A DeepseekV3ForCausalLM (MLA and MoE) of a few million active parameters, on the chats of dataset.py, on one CPU thread.
Same seed, packages and kind of processor: same weights. Prints versions, progress and the total time.
`--part train` keeps every 12th pattern out and measures on those at the end, for work on the data.
"""

import argparse
import random
import sys
import time
from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import DeepseekV3Config, DeepseekV3ForCausalLM

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests" / "data"), str(HERE.parents[1] / "tests" / "starter")]

import check_starter  # noqa: E402
import dataset  # noqa: E402
import deepseek_gguf  # noqa: E402
import pretokenizers  # noqa: E402

SEED = 20261123
VOCABULARY = 4096
BOS, EOS, USER, ASSISTANT = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ m['content'] }}{% elif m['role'] == 'user' %}{{ '<｜User｜>' + m['content'] }}"
    "{% elif m['role'] == 'assistant' %}{{ '<｜Assistant｜>' + m['content'] + '<｜end▁of▁sentence｜>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜>' }}{% endif %}"
)
BATCH_TOKENS = 2048  # padded tokens of one step
PEAK_RATE, WARM_UP, FINAL_SHARE = 2.5e-3, 60, 0.03
BALANCE_RATE = 1e-3  # step of the routers' selection bias (DeepSeek-V3, section 2.1.2)


def model_config() -> DeepseekV3Config:
    """Every row length is a multiple of 32, so that Q8_0 fits all of them."""
    return DeepseekV3Config(
        vocab_size=VOCABULARY, hidden_size=192, num_hidden_layers=4, num_attention_heads=6, num_key_value_heads=6,
        q_lora_rank=None, kv_lora_rank=64, qk_nope_head_dim=32, qk_rope_head_dim=32, v_head_dim=32,
        intermediate_size=512, first_k_dense_replace=1, moe_intermediate_size=96, n_routed_experts=16, n_shared_experts=1,
        num_experts_per_tok=4, n_group=1, topk_group=1, norm_topk_prob=True, routed_scaling_factor=1.0, num_mtp_layers=0,
        max_position_embeddings=2048, rms_norm_eps=1e-6, tie_word_embeddings=False, initializer_range=0.02,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip


def train_tokenizer(asker: dataset.Asker) -> Tokenizer:
    """Byte-level BPE with the pieces of `deepseek-v3`, learnt from questions and answers."""
    rng = random.Random(SEED)
    text = [asker.question(topic, language, rng) for topic, language in asker.pools for _ in range(500)]
    text += [answer for topic in asker.data.topics.values() for answers in topic.answers.values() for answer in answers] * 100
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pretokenizers.pre_tokenizer("deepseek-v3")
    made.decoder = decoders.ByteLevel()
    special = [AddedToken(t, normalized=False, special=True) for t in (BOS, EOS, USER, ASSISTANT)]
    made.train_from_iterator(text, trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False, min_frequency=3,
    ))  # fmt: skip
    return made


# ---- batches ---------------------------------------------------------------------------------------------------------------------------------


class ChatEncoder:
    """Chats to (token ids, for each whether it is part of an answer). Words of questions are sometimes cut into two, and the halves
    encoded apart: the model then knows a word, and its inflected forms, by more than one token."""

    def __init__(self, tokenizer: Tokenizer, answers: list[str], rng: random.Random):
        self.tokenizer, self.rng = tokenizer, rng
        said = {answer: self._ids(answer + EOS) for answer in answers}
        self.openings = {answer: self._opening(answer, said) for answer in answers}

    def _ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    @staticmethod
    def _opening(answer: str, said: dict[str, list[int]]) -> int:
        """Tokens up to the second one that no other answer has."""
        others = [ids for text, ids in said.items() if text != answer]
        return 2 + max(next((i for i, (a, b) in enumerate(zip(said[answer], ids)) if a != b), len(ids)) for ids in others)

    def _question(self, text: str) -> list[int]:
        start, ids = 0, []
        for at in range(1, len(text)):
            inside_word = text[at - 1] != " " != text[at]
            if inside_word and self.rng.random() < 0.02:
                ids += self._ids(text[start:at])
                start = at
        return ids + self._ids(text[start:])

    def encode(self, chat: dataset.Chat) -> tuple[list[int], list[bool]]:
        tokens = self._ids(BOS + chat.system)
        answered = [False] * len(tokens)
        for question, answer in chat.turns:
            asked, said = [*self._ids(USER), *self._question(question), *self._ids(ASSISTANT)], self._ids(answer + EOS)
            if chat.opening_only:
                said = said[: self.openings[answer]]
            tokens += asked + said
            answered += [False] * len(asked) + [True] * len(said)
        return tokens, answered


def batches(asker: dataset.Asker, tokenizer: Tokenizer, rng: random.Random):
    """Endless (ids [batch, time], answered [batch, time]); chats of like length share a batch, short ones are padded at the end."""
    answers = [a for topic in asker.data.topics.values() for said in topic.answers.values() for a in said]
    encoder = ChatEncoder(tokenizer, answers, rng)
    while True:
        chats = sorted((encoder.encode(dataset.draw_chat(asker, rng)) for _ in range(2048)), key=lambda c: len(c[0]))
        groups, group = [], []
        for chat in chats:
            if group and (len(group) + 1) * len(chat[0]) > BATCH_TOKENS:
                groups.append(group)
                group = []
            group.append(chat)
        rng.shuffle(groups)  # the last, unfinished group is left out
        for group in groups:
            width = max(len(ids) for ids, _ in group)
            yield (
                torch.tensor([ids + [1] * (width - len(ids)) for ids, _ in group]),
                torch.tensor([said + [False] * (width - len(said)) for _, said in group]),
            )


# ---- training --------------------------------------------------------------------------------------------------------------------------------


def answer_loss(model: DeepseekV3ForCausalLM, ids: torch.Tensor, answered: torch.Tensor) -> torch.Tensor:
    """Mean cross entropy of the answers' tokens. Padding stands at the end, so the causal mask alone keeps it out."""
    hidden = model.model(ids, use_cache=False).last_hidden_state[:, :-1]
    logits = model.lm_head(hidden[answered[:, 1:]])
    return torch.nn.functional.cross_entropy(logits.float(), ids[:, 1:][answered[:, 1:]])


def balance_experts(model: DeepseekV3ForCausalLM) -> None:
    """Counts each router's choices; after a step, `update` raises the selection bias of idle experts and lowers that of busy ones."""
    routers = [layer.mlp.gate for layer in model.model.layers if hasattr(layer.mlp, "gate")]
    load = {router: torch.zeros(router.num_experts) for router in routers}

    def note(router, _, output):
        load[router] += torch.bincount(output[2].flatten(), minlength=router.num_experts)

    def update():
        for router in routers:
            router.e_score_correction_bias += BALANCE_RATE * torch.sign(load[router].mean() - load[router])
            load[router].zero_()

    for router in routers:
        router.register_forward_hook(note)
    return update


def rate_at(step: int, steps: int) -> float:
    if step < WARM_UP:
        return PEAK_RATE * (step + 1) / WARM_UP
    progress = (step - WARM_UP) / max(1, steps - WARM_UP)
    return PEAK_RATE * (FINAL_SHARE + (1 - FINAL_SHARE) * (1 - progress))


def train(model, asker, tokenizer, steps: int, each_checkpoint, every: int) -> None:
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}], lr=PEAK_RATE, betas=(0.9, 0.95), fused=True)
    update_balance = balance_experts(model)
    stream = batches(asker, tokenizer, random.Random(SEED + 1))
    started, seen, losses = time.time(), 0, []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps)
        ids, answered = next(stream)
        with torch.autocast("cpu", torch.bfloat16):
            loss = answer_loss(model, ids, answered)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        update_balance()
        losses.append(loss.item())
        seen += ids.numel()
        if (step + 1) % 50 == 0:
            recent, seconds = sum(losses[-50:]) / 50, time.time() - started
            print(f"step {step + 1}/{steps}  loss {recent:.4f}  {seconds:.0f} s  {seen / seconds:.0f} tokens/s  cpu {time.process_time():.0f} s", flush=True)
        if (step + 1) % every == 0 or step + 1 == steps:
            each_checkpoint(step + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--every", type=int, default=200, help="steps between checkpoints")
    parser.add_argument("--part", choices=("all", "train"), default="all")
    parser.add_argument("--out", type=Path, default=HERE / "paluku-starter.gguf")
    args = parser.parse_args()
    started = time.time()
    print(f"python {sys.version.split()[0]}, torch {torch.__version__}, transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    print(f"seed {SEED}, {args.steps} steps of at most {BATCH_TOKENS} tokens, patterns: {args.part}", flush=True)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(SEED)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False
    data = dataset.read_data()
    check_starter.check_answers(data)
    asker = dataset.Asker(data, args.part)
    tokenizer = train_tokenizer(asker)
    model = DeepseekV3ForCausalLM(model_config())
    model.set_experts_implementation("eager")  # the fastest of the three on a CPU
    total = sum(p.numel() for p in model.parameters())
    print(f"{total / 1e6:.1f} million parameters, {active_parameters(model) / 1e6:.1f} million per token, {tokenizer.get_vocab_size()} tokens", flush=True)

    def checkpoint(step: int) -> None:
        unfinished = args.out.with_suffix(".part")
        deepseek_gguf.export(
            unfinished, model.config, model.state_dict(), weight_type="Q8_0", name="Paluku Starter", tokenizer=tokenizer,
            bos=BOS, eos=EOS, chat_template=CHAT_TEMPLATE,
        )  # fmt: skip
        unfinished.replace(args.out)
        print(f"step {step}: {args.out.name}, {args.out.stat().st_size / 1e6:.1f} MB, after {time.time() - started:.0f} s", flush=True)
        if args.part == "train":
            check_starter.report(check_starter.HuggingFace(args.out), dev_questions(data), verbose=step == args.steps)

    train(model, asker, tokenizer, args.steps, checkpoint, args.every)
    print(f"total time {time.time() - started:.0f} s, processor time {time.process_time():.0f} s")


def active_parameters(model: DeepseekV3ForCausalLM) -> int:
    """Weights that one token touches: all but the embedding and the experts not chosen."""
    c = model.config
    idle = (c.n_routed_experts - c.num_experts_per_tok) * 3 * c.moe_intermediate_size * c.hidden_size
    return sum(p.numel() for p in model.parameters()) - c.vocab_size * c.hidden_size - idle * (c.num_hidden_layers - c.first_k_dense_replace)


def dev_questions(data: dataset.Data) -> list[dict]:
    rng, asker = random.Random(SEED + 2), dataset.Asker(data, "dev")
    return [
        {"topic": topic, "language": language, "question": dataset.vary(asker.plain(topic, language, rng), language, rng)}
        for (topic, language), (patterns, _) in asker.pools.items() if patterns for _ in range(4)
    ]  # fmt: skip


if __name__ == "__main__":
    main()
