"""Tiny seeded configurations of the families behind the first three, and their model classes.

Every family uses the class of Hugging Face that its published model uses. PLM, for which there is
none, is Youtu's (the same attention) with the network replaced by the one that llama.cpp's graph
of PLM computes. Used by make_golden.py; README.md says what each covers. The rope's original
length is 64 tokens or less, so that a run of 80 goes beyond it. rms_norm_eps is 1e-6 throughout
(DECISIONS.md).
"""

from dataclasses import dataclass

import torch
import transformers as hf
from reference_mla import Variant
from torch import nn


class PlmConfig(hf.YoutuConfig):
    model_type = "plm"


class PlmMlp(nn.Module):
    """down(ReLU(up x)^2)"""

    def __init__(self, config):
        super().__init__()
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x):
        return self.down_proj(torch.relu(self.up_proj(x)).square())


def _plm(config):
    model = hf.YoutuForCausalLM(config)
    for layer in model.model.layers:
        layer.mlp = PlmMlp(config)
    return model


CLASSES = {
    "deepseek_v2": hf.DeepseekV2ForCausalLM,
    "deepseek_v3": hf.DeepseekV3ForCausalLM,
    "deepseek_v32": hf.DeepseekV32ForCausalLM,
    "glm4_moe_lite": hf.Glm4MoeLiteForCausalLM,
    "minicpm3": hf.MiniCPM3ForCausalLM,
    "mistral4": hf.Mistral4ForCausalLM,
    "plm": _plm,
    "youtu": hf.YoutuForCausalLM,
}


def new_model(config):
    """A model of the class of `config`, with whatever weights it is born with."""
    return CLASSES[config.model_type](config)


@dataclass(frozen=True)
class Family:
    config: object
    seed: int
    files: dict  # file name -> arguments of the exporter
    mistakes: tuple
    pre: str = "deepseek-v3"
    prompt: int = 80
    long: int = 0
    long_mistakes: tuple | None = None
    tied_scale: float = 0.2  # size of a tied embedding


def _yarn(factor: float, original: int, **more) -> dict:
    return dict(
        rope_type="yarn", rope_theta=10000.0, factor=factor, beta_fast=4, beta_slow=1,
        original_max_position_embeddings=original, mscale=1.0, mscale_all_dim=1.0,
    ) | more  # fmt: skip


def _plain(theta: float) -> dict:
    return dict(rope_type="default", rope_theta=theta)


NOT_INTERLEAVED = Variant(interleaved=False)
NO_BIAS = Variant(bias=False)
YARN = (Variant(mscale=False), Variant(yarn=False), NOT_INTERLEAVED)


def all_families(vocab: int) -> dict[str, Family]:
    common = dict(
        vocab_size=vocab, num_attention_heads=4, num_key_value_heads=4, hidden_size=32,
        intermediate_size=48, num_hidden_layers=2, kv_lora_rank=32, rms_norm_eps=1e-6,
        bos_token_id=0, eos_token_id=1, max_position_embeddings=4096,
    )  # fmt: skip
    small_head = dict(qk_nope_head_dim=12, qk_rope_head_dim=16, v_head_dim=12)
    experts = dict(
        moe_intermediate_size=8, n_routed_experts=12, num_experts_per_tok=3, n_shared_experts=1,
        n_group=1, topk_group=1, norm_topk_prob=True,
    )  # fmt: skip
    v3 = common | experts | small_head | dict(first_k_dense_replace=1, num_mtp_layers=0)
    return {
        "moonlight": Family(
            hf.DeepseekV3Config(**v3 | dict(
                q_lora_rank=None, n_shared_experts=2, routed_scaling_factor=2.446,
                rope_parameters=_plain(50000.0),
            )),
            201, {"moonlight": {}}, (NOT_INTERLEAVED, NO_BIAS),
        ),
        # Without the keys that its older files lack.
        "kimi-k2": Family(
            hf.DeepseekV3Config(**v3 | dict(
                hidden_size=16, moe_intermediate_size=4, n_routed_experts=384,
                num_experts_per_tok=8, q_lora_rank=24, routed_scaling_factor=2.827,
                rope_parameters=_yarn(32.0, 64, rope_theta=50000.0, beta_fast=1),
            )),
            202,
            {"kimi-k2": dict(without=("rope.scaling.yarn_beta_fast",
                                      "rope.scaling.yarn_beta_slow"))},
            (*YARN, NO_BIAS),
        ),
        # Twenty heads; experts fused; a block for multi-token prediction; no gating function.
        "glm-4.7-flash": Family(
            hf.Glm4MoeLiteConfig(**common | experts | dict(
                num_attention_heads=20, num_key_value_heads=20, q_lora_rank=24,
                qk_nope_head_dim=12, qk_rope_head_dim=8, v_head_dim=16,
                routed_scaling_factor=1.8,
                rope_parameters=_plain(1e6), mlp_layer_types=["dense", "sparse"],
            )),
            203,
            {"glm-4.7-flash": dict(fused=True, prediction_block=True,
                                   without=("expert_gating_func",))},
            (NOT_INTERLEAVED, NO_BIAS),
        ),
        "youtu": Family(
            hf.YoutuConfig(**common | small_head | dict(
                q_lora_rank=24, tie_word_embeddings=True, rope_parameters=_plain(1.6e6),
            )),
            204, {"youtu": {}}, (NOT_INTERLEAVED,),
        ),
        "minicpm3": Family(
            hf.MiniCPM3Config(**common | dict(
                q_lora_rank=24, qk_nope_head_dim=8, qk_rope_head_dim=16, v_head_dim=None,
                max_position_embeddings=160, tie_word_embeddings=True,
                rope_parameters=dict(
                    rope_type="longrope", rope_theta=10000.0, attention_factor=1.0, factor=1.0,
                    original_max_position_embeddings=160,
                    short_factor=[1.05, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2.0],
                    long_factor=[1.1, 1.3, 1.7, 2.2, 3.1, 4.5, 6.0, 8.0],
                ),
            )),
            205, {"minicpm3": {}}, (NOT_INTERLEAVED, Variant(scales=False)), tied_scale=0.05, long=200,
            long_mistakes=(NOT_INTERLEAVED, Variant(scales=False), Variant(long_rope=False)),
        ),
        "plm": Family(
            PlmConfig(**common | small_head | dict(
                q_lora_rank=None, tie_word_embeddings=True, rope_parameters=_plain(1e5),
            )),
            206, {"plm": {}}, (NOT_INTERLEAVED,),
        ),
        "mistral4": Family(
            hf.Mistral4Config(**common | experts | small_head | dict(
                q_lora_rank=24, first_k_dense_replace=0, routed_scaling_factor=1.0,
                rope_parameters=_yarn(128.0, 32, llama_4_scaling_beta=0.5,
                                      partial_rotary_factor=16 / 28),
            )),
            207,
            {"mistral4": {}},
            (*YARN, Variant(temperature=False)),
        ),
        "gigachat3": Family(
            hf.DeepseekV3Config(**v3 | dict(
                q_lora_rank=None, v_head_dim=20, routed_scaling_factor=2.5,
                rope_parameters=_yarn(40.0, 64),
            )),
            208, {"gigachat3": {}}, (*YARN, NO_BIAS),
        ),
        "kanana-2": Family(
            hf.DeepseekV3Config(**v3 | dict(
                q_lora_rank=None, n_shared_experts=2, n_routed_experts=16,
                num_experts_per_tok=6, routed_scaling_factor=2.448,
                rope_parameters=_plain(1e6),
            )),
            209, {"kanana-2": {}}, (NOT_INTERLEAVED, NO_BIAS),
        ),
        "joyai": Family(
            hf.DeepseekV3Config(**v3 | dict(
                q_lora_rank=24, routed_scaling_factor=2.5, rope_parameters=_plain(3.2e7),
            )),
            210, {"joyai": {}}, (NOT_INTERLEAVED, NO_BIAS),
        ),
        # Chooses from the 49th token on.
        "v3.2": Family(
            hf.DeepseekV32Config(**v3 | dict(
                q_lora_rank=24, n_group=4, topk_group=2, routed_scaling_factor=2.5,
                rope_parameters=_yarn(40.0, 64), index_topk=48, index_head_dim=24,
                index_n_heads=24,
            )),
            211, {"v3.2": {}},
            (*YARN, NO_BIAS, Variant(indexer="dense"), Variant(indexer="interleaved")),
        ),
    }  # fmt: skip
