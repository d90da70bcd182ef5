#include "tests/ui/conversations.h"

namespace paluku {
namespace {

constexpr const char* kPoem =
    R"(వేమన **17వ శతాబ్దపు** కవి. ఆయన ఆటవెలదులు చిన్నవి, కాని ప్రతి పద్యం ఒక జీవిత సత్యాన్ని చెబుతుంది:

> ఉప్పు కప్పురంబు నొక్క పోలిక నుండు
> చూడ చూడ రుచుల జాడ వేరు
> పురుషులందు పుణ్య పురుషులు వేరయా
> విశ్వదాభిరామ వినురవేమ

Salt and camphor look alike, yet taste tells them apart; so do **good people** stand apart among people. క్ష్మి, స్త్రీ, జ్ఞానం వంటి అక్షరాలు `GPU లో 24 GB` వంటి మాటలతో కలిసినా వరుస చెదరదు.

```python
def scan(pada: str) -> list:  # గురువు, లఘువు
    return [weight(a) for a in aksharas(pada, "తెలుగు", 3)]
```
)";

constexpr const char* kRouter = R"(# Why fp32

The router picks *k* experts by comparing scores that may be **very close**. In 16 bits two scores can become equal, and the choice flips.

1. Compute the logits in fp32.
2. Add the selection bias.
   - only for choosing, never for weighting
   - తెలుగులో: ఎంపిక కోసమే
3. Take the best `k`.

| type | bits of mantissa | smallest step at 1.0 |
|:--|--:|--:|
| fp32 | 23 | 1.2e-7 |
| bf16 | 7 | 7.8e-3 |
| fp16 | 10 | 9.8e-4 |

See [the paper](https://example.org/deepseek-v2) for the group limit.

---

A line of code that is wider than the column scrolls in its own box:

```cpp
auto chosen = TopK(Softmax(MatMul(hidden, router_weights_f32)), experts_per_token, /*renormalise=*/true, scaling_factor);
```
)";

}  // namespace

const std::vector<SampleConversation>& sampleConversations() {
  static const std::vector<SampleConversation> samples = {
      {"గురజాడ: దేశమును ప్రేమించుమన్నా", 24, {{"గురజాడ గురించి చెప్పు.", "గురజాడ అప్పారావు కవి."}}},
      {"Letters from the 1930s", 23, {{"Hello", "Hello."}}},
      {"Rust or C++ for the parser", 1, {{"Rust or C++?", "Either.", MessageState::kStopped}}},
      {"స్త్రీ విద్య గురించి వ్యాసం", 1, {{"వ్యాసం రాయి.", "విద్య", MessageState::kInterrupted}}},
      {"A packing list for Araku valley in December, with children",
       1,
       {{"List?", "- Coats\n- Socks"}}},
      {"అమ్మమ్మ చెప్పిన క్ష్మి కథ", 0, {{"కథ చెప్పు.", "అనగనగా ఒక ఊరు."}}},
      {"Why does the router use fp32?", 0, {{"Why does the router use fp32?", kRouter}}},
      {"వేమన పద్యం, దాని అర్థం",
       0,
       {{"వేమన పద్యం ఒకటి చెప్పి, దాని అర్థం వివరించు. Keep the English gloss short.", kPoem}}},
  };
  return samples;
}

}  // namespace paluku
