// One random view of each shape, stage by stage as in the torch transforms of this folder, which are the reference:
// mirror, crop and resize, brightness / contrast / saturation / hue in the image's own order, grey, blur, normalise.
// An image is worked through while it lies in the processor's first cache; images do not depend on each other.
//
// Built without -ffast-math: it would change the rounding mode of the whole process, and with it training.

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <vector>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace {

enum Operation { kBrightness, kContrast, kSaturation, kHue };
constexpr int kLanes = 16;  // partial sums, so that adding up can be vectorised without reordering at will

float clamp(float value) {
  value = value < 0.f ? 0.f : value;
  return value > 1.f ? 1.f : value;
}

// The sides of the images; a side known when this is compiled makes every loop shorter. 0: known when it runs.
template <int kSide>
struct Shape {
  int64_t channels_, in_height_, in_width_, out_height_, out_width_;
  int channels() const { return int(channels_); }
  int in_height() const { return kSide ? kSide : int(in_height_); }
  int in_width() const { return kSide ? kSide : int(in_width_); }
  int height() const { return kSide ? kSide : int(out_height_); }
  int width() const { return kSide ? kSide : int(out_width_); }
  int pixels() const { return height() * width(); }
};

// For each output pixel of one axis the source pixels it is made of, and their weights, tap after tap.
struct Axis {
  int size, taps;
  std::vector<int> source;
  std::vector<float> weight;

  // `length` pixels from `start` on, resized to `outputs`. `mirrored` counts the source from the other end.
  void resize(int side, int start, int length, int outputs, bool mirrored) {
    const float step = float(length) / float(outputs);
    size = outputs;
    taps = step > 1.f ? 2 * int(std::ceil(step)) : 2;
    source.resize(size_t(taps) * size);
    weight.resize(size_t(taps) * size);
    if (step > 1.f) shrink(start, length, step);
    else grow(start, length, step);
    if (mirrored)
      for (int& pixel : source) pixel = side - 1 - pixel;
  }

  // Between two neighbours, from pixels of the crop alone.
  void grow(int start, int length, float step) {
    const int end = start + length - 1;
    const float low = float(start), high = float(end);
    for (int output = 0; output < size; ++output) {
      float centre = low + (float(output) + 0.5f) * step - 0.5f;
      centre = centre < low ? low : centre;
      centre = centre > high ? high : centre;
      const int pixel = int(centre);
      source[output] = pixel;
      source[size + output] = pixel < end ? pixel + 1 : end;
      weight[size + output] = centre - float(pixel);
      weight[output] = 1.f - (centre - float(pixel));
    }
  }

  // A triangle as wide as an output pixel on either side.
  void shrink(int start, int length, float step) {
    std::fill(source.begin(), source.end(), start);
    std::fill(weight.begin(), weight.end(), 0.f);
    for (int output = 0; output < size; ++output) {
      const float centre = float(start) + (float(output) + 0.5f) * step - 0.5f;
      const int first = std::max(start, int(std::floor(centre - step)) + 1);
      const int last = std::min({start + length - 1, int(std::ceil(centre + step)) - 1, first + taps - 1});
      float sum = 0.f;
      for (int pixel = first; pixel <= last; ++pixel) sum += 1.f - std::fabs(float(pixel) - centre) / step;
      for (int pixel = first; pixel <= last; ++pixel) {
        const size_t at = size_t(pixel - first) * size + output;
        weight[at] = (1.f - std::fabs(float(pixel) - centre) / step) / sum;
        source[at] = pixel;
      }
    }
  }
};

// Across 32 rows of 32 with two taps; false where the processor cannot pick 16 of 32 numbers in one instruction.
inline bool pick_rows(const float* rows, const Axis& across, float* out) {
#ifdef __AVX512F__
  for (int half = 0; half < 32; half += 16) {
    const __m512i from = _mm512_loadu_si512(&across.source[half]), to = _mm512_loadu_si512(&across.source[32 + half]);
    const __m512 left = _mm512_loadu_ps(&across.weight[half]), right = _mm512_loadu_ps(&across.weight[32 + half]);
    for (int y = 0; y < 32; ++y) {
      const __m512 low = _mm512_loadu_ps(rows + 32 * y), high = _mm512_loadu_ps(rows + 32 * y + 16);
      const __m512 second = _mm512_mul_ps(right, _mm512_permutex2var_ps(low, to, high));
      const __m512 sum = _mm512_fmadd_ps(left, _mm512_permutex2var_ps(low, from, high), second);
      _mm512_storeu_ps(out + 32 * y + half, sum);
    }
  }
  return true;
#else
  (void)rows, (void)across, (void)out;
  return false;
#endif
}

// Down a whole plane, then across it: reading back what was stored a moment ago would stall.
template <int kSide>
void crop(const uint8_t* source, const Axis& down, const Axis& across, const Shape<kSide>& shape, float* rows,
          float* out) {
  const int height = shape.height(), width = shape.width(), in_width = shape.in_width();
  for (int channel = 0; channel < shape.channels(); ++channel) {
    const uint8_t* plane = source + size_t(channel) * shape.in_height() * in_width;
    for (int y = 0; y < height; ++y) {
      float* row = rows + size_t(y) * in_width;
      for (int tap = 0; tap < down.taps; tap += 2) {
        const size_t first = size_t(tap) * height + y, second = first + height;
        const float upper = down.weight[first] * (1.f / 255.f), lower = down.weight[second] * (1.f / 255.f);
        const uint8_t* above = plane + size_t(down.source[first]) * in_width;
        const uint8_t* below = plane + size_t(down.source[second]) * in_width;
        if (tap == 0)
          for (int x = 0; x < in_width; ++x) row[x] = upper * float(above[x]) + lower * float(below[x]);
        else
          for (int x = 0; x < in_width; ++x) row[x] += upper * float(above[x]) + lower * float(below[x]);
      }
    }
    float* target = out + size_t(channel) * shape.pixels();
    if (kSide == 32 && across.taps == 2 && pick_rows(rows, across, target)) continue;
    for (int y = 0; y < height; ++y, target += width) {
      const float* row = rows + size_t(y) * in_width;
      for (int tap = 0; tap < across.taps; tap += 2) {
        const float *left = across.weight.data() + size_t(tap) * width, *right = left + width;
        const int *from = across.source.data() + size_t(tap) * width, *to = from + width;
        if (tap == 0)
          for (int x = 0; x < width; ++x) target[x] = left[x] * row[from[x]] + right[x] * row[to[x]];
        else
          for (int x = 0; x < width; ++x) target[x] += left[x] * row[from[x]] + right[x] * row[to[x]];
      }
    }
  }
}

template <int kSide>
void grey(const float* values, const Shape<kSide>& shape, float* out) {
  const int pixels = shape.pixels();
  if (shape.channels() == 1) {
    std::copy(values, values + pixels, out);
    return;
  }
  const float *red = values, *green = values + pixels, *blue = values + 2 * pixels;
  for (int k = 0; k < pixels; ++k) out[k] = 0.2989f * red[k] + 0.587f * green[k] + 0.114f * blue[k];
}

float mean(const float* values, int count) {
  float lanes[kLanes] = {};
  int k = 0;
  for (; k + kLanes <= count; k += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += values[k + lane];
  float sum = 0.f;
  for (; k < count; ++k) sum += values[k];
  for (float lane : lanes) sum += lane;
  return sum / float(count);
}

template <int kSide>
void turn_hue(float* values, const Shape<kSide>& shape, float turns) {
  if (shape.channels() == 1 || turns == 0.f) return;
  const int pixels = shape.pixels();
  float *reds = values, *greens = values + pixels, *blues = values + 2 * pixels;
  for (int k = 0; k < pixels; ++k) {
    const float red = reds[k], green = greens[k], blue = blues[k];
    const float higher = red > green ? red : green, lower = red < green ? red : green;
    const float top = higher > blue ? higher : blue, bottom = lower < blue ? lower : blue;
    const float chroma = top - bottom, way = (top - red) + (green - bottom) + (blue - bottom);
    const float hue = std::copysign(way / (chroma < FLT_MIN ? FLT_MIN : chroma), green - blue) * (1.f / 6.f) + turns;
    const float sixths = (hue - std::floor(hue)) * 6.f;
    reds[k] = bottom + chroma * clamp(std::fabs(sixths - 3.f) - 1.f);
    greens[k] = bottom + chroma * clamp(2.f - std::fabs(sixths - 2.f));
    blues[k] = bottom + chroma * clamp(2.f - std::fabs(sixths - 4.f));
  }
}

template <int kSide>
void jitter(float* values, const Shape<kSide>& shape, const float* factors, float turns, const int64_t* order, float* plane) {
  const int pixels = shape.pixels(), count = shape.channels() * shape.pixels();
  for (int position = 0; position < 4; ++position) {
    const int64_t operation = order[position];
    if (operation == kHue) {
      turn_hue(values, shape, turns);
      continue;
    }
    const float factor = factors[operation], rest = 1.f - factor;
    if (factor == 1.f) continue;
    if (operation == kBrightness) {
      for (int k = 0; k < count; ++k) values[k] = clamp(values[k] * factor);
      continue;
    }
    grey(values, shape, plane);
    if (operation == kContrast) {
      const float base = rest * mean(plane, pixels);
      for (int k = 0; k < count; ++k) values[k] = clamp(values[k] * factor + base);
    } else {
      for (int channel = 0; channel < shape.channels(); ++channel) {
        float* target = values + size_t(channel) * pixels;
        for (int k = 0; k < pixels; ++k) target[k] = clamp(target[k] * factor + rest * plane[k]);
      }
    }
  }
}

int mirror(int place, int side) {
  place = place < 0 ? -place : place;
  return place < side ? place : 2 * (side - 1) - place;
}

// `weights` of a bell from its middle outwards, `radius` + 1 of them, radius >= 1.
template <int kSide>
void blur(const float* values, const Shape<kSide>& shape, const float* weights, int radius, float* rows, float* out) {
  const int height = shape.height(), width = shape.width(), stride = width + 2 * radius;
  for (int channel = 0; channel < shape.channels(); ++channel) {
    const float* plane = values + size_t(channel) * shape.pixels();
    for (int y = 0; y < height; ++y) {
      float* row = rows + size_t(y) * stride + radius;
      for (int away = 1; away <= radius; ++away) {
        const float* above = plane + size_t(mirror(y - away, height)) * width;
        const float* below = plane + size_t(mirror(y + away, height)) * width;
        const float* here = plane + size_t(y) * width;
        const float weight = weights[away];
        if (away == 1)
          for (int x = 0; x < width; ++x) row[x] = weights[0] * here[x] + weight * (above[x] + below[x]);
        else
          for (int x = 0; x < width; ++x) row[x] += weight * (above[x] + below[x]);
      }
      for (int away = 1; away <= radius; ++away) {
        row[-away] = row[mirror(-away, width)];
        row[width - 1 + away] = row[mirror(width - 1 + away, width)];
      }
    }
    for (int y = 0; y < height; ++y) {
      const float* row = rows + size_t(y) * stride + radius;
      float* target = out + size_t(channel) * shape.pixels() + size_t(y) * width;
      for (int away = 1; away <= radius; ++away) {
        const float weight = weights[away];
        if (away == 1)
          for (int x = 0; x < width; ++x) target[x] = weights[0] * row[x] + weight * (row[x - 1] + row[x + 1]);
        else
          for (int x = 0; x < width; ++x) target[x] += weight * (row[x - away] + row[x + away]);
      }
    }
  }
}

// Null where a stage is left out.
struct Stages {
  const uint8_t* mirrored;    // [batch]
  const int64_t* rectangles;  // [batch, 4]: top, left, height, width
  const float* factors;       // [batch, 4]
  const float* turns;         // [batch]
  const int64_t* order;       // [batch, 4]
  const uint8_t* greyed;      // [batch]
  const float* weights;       // [batch, radius + 1]
  int64_t radius;
  const float *scale, *shift;  // [channels]
};

template <int kSide>
void augment(const uint8_t* images, float* out, int64_t batch, const Shape<kSide>& shape, const Stages& stages) {
  const int pixels = shape.pixels(), values = shape.channels() * pixels, radius = int(stages.radius);
  std::vector<float> work(values), plane(pixels);
  std::vector<float> rows(size_t(shape.height()) * std::max(shape.in_width(), shape.width() + 2 * radius));
  const int64_t whole[4] = {0, 0, shape.in_height(), shape.in_width()};
  Axis down, across;
  for (int64_t index = 0; index < batch; ++index) {
    const uint8_t* source = images + index * shape.channels() * shape.in_height() * shape.in_width();
    float *target = out + index * values, *view = stages.weights ? work.data() : target;
    const int64_t* rectangle = stages.rectangles ? stages.rectangles + index * 4 : whole;
    const bool mirrored = stages.mirrored && stages.mirrored[index];
    down.resize(shape.in_height(), int(rectangle[0]), int(rectangle[2]), shape.height(), false);
    across.resize(shape.in_width(), int(rectangle[1]), int(rectangle[3]), shape.width(), mirrored);
    crop(source, down, across, shape, rows.data(), view);
    if (stages.factors)
      jitter(view, shape, stages.factors + index * 4, stages.turns[index], stages.order + index * 4, plane.data());
    if (stages.greyed && stages.greyed[index]) {
      grey(view, shape, plane.data());
      for (int channel = 0; channel < shape.channels(); ++channel)
        std::copy(plane.begin(), plane.end(), view + size_t(channel) * pixels);
    }
    if (stages.weights)
      blur(view, shape, stages.weights + index * (radius + 1), radius, rows.data(), target);
    if (!stages.scale) continue;
    for (int channel = 0; channel < shape.channels(); ++channel) {
      float* normalised = target + size_t(channel) * pixels;
      const float scale = stages.scale[channel], shift = stages.shift[channel];
      for (int k = 0; k < pixels; ++k) normalised[k] = normalised[k] * scale + shift;
    }
  }
}

}  // namespace

extern "C" void gradlab_augment(const uint8_t* images, float* out, int64_t batch, int64_t channels, int64_t in_height,
                                int64_t in_width, int64_t out_height, int64_t out_width, const Stages* stages) {
  if (in_height == 32 && in_width == 32 && out_height == 32 && out_width == 32)
    augment(images, out, batch, Shape<32>{channels, 32, 32, 32, 32}, *stages);
  else
    augment(images, out, batch, Shape<0>{channels, in_height, in_width, out_height, out_width}, *stages);
}
