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

// The tokens of `list`.
Cached Only(const Cached& all, const std::vector<int>& list) {
  Cached some;
  for (const int token : list) {
    some.latent.push_back(all.latent[static_cast<std::size_t>(token)]);
    some.rope.push_back(all.rope[static_cast<std::size_t>(token)]);
  }
  return some;
}

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

// Row `row` of [rows, k], without the places that are not used.
std::vector<int> SelectedTokens(const Tensor& selected, std::int64_t row) {
  const std::int32_t* first = selected.i32() + row * selected.columns();
  std::vector<int> tokens(first, first + selected.columns());
  std::erase(tokens, -1);
  return tokens;
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

Matrix Turned(const Matrix& matrix) {
  Matrix turned(matrix.front().size(), Vector(matrix.size()));
  for (std::size_t r = 0; r < matrix.size(); ++r) {
    for (std::size_t c = 0; c < turned.size(); ++c) turned[c][r] = matrix[r][c];
  }
  return turned;
}

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
      const Matrix stored = AllRows(p.w_uk.Slab(h));
      const Matrix w_uk = p.w_uk_turned ? Turned(stored) : stored;
      const Matrix w_uv = AllRows(p.w_uv.Slab(h));
      for (int i = 0; i < sequence.rows; ++i) {
        if (Stopped()) return;
        const int row = sequence.first_row + i;
        const Vector q = Row(p.q, row);
        const HeadQuery query = {{q.begin() + h * width, q.begin() + h * width + p.nope},
                                 {q.begin() + h * width + p.nope, q.begin() + (h + 1) * width}};
        const std::int64_t position = sequence.cached + i;
        auto visible = static_cast<std::size_t>(position + 1);
        const double scale = p.ScaleAt(position);
        Cached chosen;
        if (p.selected) {
          chosen = Only(cached, SelectedTokens(p.selected, row));
          visible = chosen.latent.size();
        }
        const Cached& seen = p.selected ? chosen : cached;
        const Vector out = expanded ? Expanded(query, seen, visible, w_uk, w_uv, scale)
                                    : Absorbed(query, seen, visible, w_uk, w_uv, scale);
        float* to = p.out.f32() + static_cast<std::int64_t>(row) * p.out.columns() + h * p.value;
        for (int v = 0; v < p.value; ++v)
          to[v] = static_cast<float>(out[static_cast<std::size_t>(v)]);
      }
    }
  }
}

void ReferenceBackend::IndexAppend(const IndexAppendParams& p) {
  if (Stopped()) return;
  const Vector norm = Row(p.norm, 0), bias = Row(p.bias, 0);
  const int rope = 2 * static_cast<int>(p.rope.inverse_frequency.size());
  for (const StepSequence& sequence : batch_.sequences) {
    for (int i = 0; i < sequence.rows; ++i) {
      Vector key = Row(p.key, sequence.first_row + i);
      const auto n = static_cast<double>(key.size());
      double mean = 0, variance = 0;
      for (const double k : key) mean += k / n;
      for (const double k : key) variance += (k - mean) * (k - mean) / n;
      for (std::size_t c = 0; c < key.size(); ++c) {
        key[c] = (key[c] - mean) / std::sqrt(variance + static_cast<double>(p.epsilon)) * norm[c] +
                 bias[c];
      }
      const std::int64_t position = sequence.cached + i;
      Rotate(key.data(), rope, static_cast<double>(position), p.rope);
      const std::vector<float> values(key.begin(), key.end());
      StoreIndexKey(pages_, values.data(),
                    pages_.Row(sequence.page_table.data(), p.layer, position));
    }
  }
}

// Sum over the heads of weight * scale * ReLU(q . key).
double ReferenceBackend::IndexScore(const SelectTokensParams& p, std::int64_t row,
                                    const Vector& key) const {
  const Vector q = Row(p.q, row), weights = Row(p.weights, row);
  double score = 0;
  for (int h = 0; h < p.heads; ++h) {
    const auto first = q.begin() + h * pages_.index;
    const double product = Dot({first, first + pages_.index}, key);
    score += weights[static_cast<std::size_t>(h)] * static_cast<double>(p.scale) *
             std::max(product, 0.0);
  }
  return score;
}

void ReferenceBackend::SelectTokens(const SelectTokensParams& p) {
  const auto most = static_cast<int>(p.selected.columns());
  const int rope = 2 * static_cast<int>(p.rope.inverse_frequency.size());
  std::vector<float> key(static_cast<std::size_t>(pages_.index));
  for (const StepSequence& sequence : batch_.sequences) {
    for (int i = 0; i < sequence.rows; ++i) {
      if (Stopped()) return;
      const int row = sequence.first_row + i, position = sequence.cached + i;
      Vector q = Row(p.q, row);
      for (int h = 0; h < p.heads; ++h) {
        Rotate(q.data() + h * pages_.index, rope, position, p.rope);
      }
      StoreRow(p.q, row, q);
      Vector scores;
      for (int t = 0; t <= position; ++t) {
        LoadIndexKey(pages_, pages_.Row(sequence.page_table.data(), p.layer, t), key.data());
        scores.push_back(IndexScore(p, row, {key.begin(), key.end()}));
      }
      std::vector<int> best = Best(scores, std::min(most, position + 1));
      std::sort(best.begin(), best.end());
      best.resize(static_cast<std::size_t>(most), -1);
      std::copy(best.begin(), best.end(), p.selected.i32() + static_cast<std::int64_t>(row) * most);
    }
  }
}

}  // namespace paluku
