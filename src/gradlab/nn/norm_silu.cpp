// Batch norm and SiLU of bfloat16 images whose channels lie last, [rows, channels], in as few passes as there can be.
// With z = scale * x + shift the layer gives z / (1 + exp(-z)). Channels come in blocks of 32.

#include <cmath>
#include <cstdint>
#include <cstring>

namespace {

constexpr int kBlock = 32;        // channels at a time, whose sums stay in registers
constexpr int64_t kRows = 512;    // summed in single precision before they are added in double

float wide(uint16_t half) {
  const uint32_t bits = uint32_t(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

uint16_t narrow(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint16_t rounded = uint16_t((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  return value != value ? 0x7fc0 : rounded;
}

// exp(x) = 2^n exp(rest), the rest by its series: 5e-5 of it off at most, a fortieth of what rounding to bfloat16 costs.
float exponential(float x) {
  x = x < -87.f ? -87.f : x;
  x = x > 87.f ? 87.f : x;
  const float n = std::nearbyint(x * 1.44269504f), rest = x - n * 0.69314718f;
  const float series = 1.f + rest * (1.f + rest * (0.5f + rest * (1 / 6.f + rest * (1 / 24.f))));
  const int32_t bits = (int32_t(n) + 127) << 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return series * power;
}

// Sums over all rows of what `part(row, channel of the block, first, second)` adds, block after block.
template <typename Part>
void sums(int64_t rows, int64_t first_channel, double* first, double* second, Part part) {
  for (int64_t begin = 0; begin < rows; begin += kRows) {
    const int64_t end = begin + kRows < rows ? begin + kRows : rows;
    float one[kBlock] = {}, other[kBlock] = {};
    for (int64_t row = begin; row < end; ++row)
      for (int k = 0; k < kBlock; ++k) part(row, k, one[k], other[k]);
    for (int k = 0; k < kBlock; ++k) first[first_channel + k] += one[k], second[first_channel + k] += other[k];
  }
}

}  // namespace

// The sums of x - origin and of its square, for each channel.
extern "C" void moments(const uint16_t* __restrict x, int64_t rows, int64_t channels, const float* __restrict origin, double* sum,
                        double* squares) {
  for (int64_t block = 0; block < channels; block += kBlock)
    sums(rows, block, sum, squares, [=](int64_t row, int k, float& one, float& other) {
      const float value = wide(x[row * channels + block + k]) - origin[block + k];
      one += value;
      other += value * value;
    });
}

extern "C" void activate(const uint16_t* __restrict x, int64_t rows, int64_t channels, const float* __restrict scale,
                         const float* __restrict shift, uint16_t* __restrict y) {
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < channels; ++k) {
      const float z = wide(x[row * channels + k]) * scale[k] + shift[k];
      y[row * channels + k] = narrow(z / (1.f + exponential(-z)));
    }
}

// The slope by z, and for each channel its sum and that of its product with x - mean.
extern "C" void slopes(const uint16_t* __restrict x, int64_t rows, int64_t channels, const uint16_t* __restrict slope_y,
                       const float* __restrict scale, const float* __restrict shift, const float* __restrict mean,
                       uint16_t* __restrict slope_z, double* sum, double* product) {
  for (int64_t block = 0; block < channels; block += kBlock)
    sums(rows, block, sum, product, [=](int64_t row, int k, float& one, float& other) {
      const int64_t at = row * channels + block + k;
      const float value = wide(x[at]), z = value * scale[block + k] + shift[block + k];
      const float gate = 1.f / (1.f + exponential(-z)), slope = wide(slope_y[at]) * gate * (1.f + z * (1.f - gate));
      slope_z[at] = narrow(slope);
      one += slope;
      other += slope * (value - mean[block + k]);
    });
}

// The slope by x in the place of that by z: of_z * slope + of_x * x + constant.
extern "C" void spread(const uint16_t* __restrict x, int64_t rows, int64_t channels, uint16_t* __restrict slope,
                       const float* __restrict of_z, const float* __restrict of_x, const float* __restrict constant) {
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < channels; ++k) {
      const int64_t at = row * channels + k;
      slope[at] = narrow(of_z[k] * wide(slope[at]) + of_x[k] * wide(x[at]) + constant[k]);
    }
}
