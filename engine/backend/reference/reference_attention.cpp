// Multi-head latent attention, DeepSeek-V2 (arXiv 2405.04434) section 2.1, both ways.
#include <algorithm>
#include <cmath>

#include "engine/backend/latent_row.h"
#include "engine/backend/reference/reference_backend.h"

namespace paluku {
namespace {

using namespace reference;

struct Cached {
  Matrix latent;  // [tokens][latent]
  Matrix rope;    // [tokens][rope]
};

Cached ReadCache(const LatentPages& pages, const StepSequence& sequence, int layer) {
  Cached cached;
  std::vector<float> row(static_cast<std::size_t>(pages.latent + pages.rope));
  for (std::int64_t position = 0; position < sequence.cached + sequence.rows; ++position) {
    LoadLatentRow(pages, pages.Row(sequence.page_table.data(), layer, position), row.data());
    cached.latent.emplace_back(row.begin(), row.begin() + pages.latent);
    cached.rope.emplace_back(row.begin() + pages.latent, row.end());
  }
  return cached;
}

void Softmax(Vector& scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& s : scores) sum += s = std::exp(s - largest);
  for (double& s : scores) s /= sum;
}

// sum over t of weights[t] * rows[t]
Vector WeightedSum(const Vector& weights, const Matrix& rows) {
  Vector out(rows.at(0).size());
  for (std::size_t t = 0; t < weights.size(); ++t) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += weights[t] * rows[t][i];
  }
  return out;
}

// vector * matrix
Vector TimesMatrix(const Vector& x, const Matrix& matrix) { return WeightedSum(x, matrix); }

struct HeadQuery {
  Vector nope;
  Vector rope;
};

// k = [c W_UK^T, k_rope], v = c W_UV^T, ordinary attention over `visible` tokens.
Vector Expanded(const HeadQuery& q, const Cached& cached, std::size_t visible, const Matrix& w_uk,
                const Matrix& w_uv, double scale) {
  Vector scores;
  Matrix values;
  for (std::size_t t = 0; t < visible; ++t) {
    const Vector key = Project(cached.latent[t], w_uk);
    values.push_back(Project(cached.latent[t], w_uv));
    scores.push_back(scale * (Dot(q.nope, key) + Dot(q.rope, cached.rope[t])));
  }
  Softmax(scores);
  return WeightedSum(scores, values);
}

// q W_UK meets the latent itself, W_UV comes after the weighted sum.
Vector Absorbed(const HeadQuery& q, const Cached& cached, std::size_t visible, const Matrix& w_uk,
                const Matrix& w_uv, double scale) {
  const Vector query = TimesMatrix(q.nope, w_uk);  // [latent]
  Vector scores;
  for (std::size_t t = 0; t < visible; ++t) {
    scores.push_back(scale * (Dot(query, cached.latent[t]) + Dot(q.rope, cached.rope[t])));
  }
  Softmax(scores);
  return Project(WeightedSum(scores, cached.latent), w_uv);
}

}  // namespace

void ReferenceBackend::MlaAttention(const MlaAttentionParams& p) {
  // The absorbed way is the cheaper one here for any number of rows, so kAuto takes it.
  const bool expanded = p.path == AttentionPath::kExpanded;
  const int width = p.nope + p.rope;
  for (const StepSequence& sequence : batch_.sequences) {
    const Cached cached = ReadCache(pages_, sequence, p.layer);
    for (int h = 0; h < p.heads; ++h) {
      const Matrix w_uk = AllRows(p.w_uk.Slab(h));
      const Matrix w_uv = AllRows(p.w_uv.Slab(h));
      for (int i = 0; i < sequence.rows; ++i) {
        if (Stopped()) return;
        const int row = sequence.first_row + i;
        const Vector q = Row(p.q, row);
        const HeadQuery query = {{q.begin() + h * width, q.begin() + h * width + p.nope},
                                 {q.begin() + h * width + p.nope, q.begin() + (h + 1) * width}};
        const auto visible = static_cast<std::size_t>(sequence.cached + i + 1);
        const Vector out = expanded ? Expanded(query, cached, visible, w_uk, w_uv, p.scale)
                                    : Absorbed(query, cached, visible, w_uk, w_uv, p.scale);
        float* to = p.out.f32() + static_cast<std::int64_t>(row) * p.out.columns() + h * p.value;
        for (int v = 0; v < p.value; ++v)
          to[v] = static_cast<float>(out[static_cast<std::size_t>(v)]);
      }
    }
  }
}

}  // namespace paluku
