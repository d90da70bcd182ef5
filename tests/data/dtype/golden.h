// Made by make_golden.py with the gguf package; do not edit.
struct Golden {
  const char* type;
  unsigned long long hash;
  float sample[3];
};
inline constexpr int kGoldenBlocks = 2048;
inline constexpr Golden kGolden[] = {
    {"Q4_0", 0xf78d645081522b25ull, {-0.000000000e+00f, 9.487304688e+00f, -1.328222656e+01f}},
    {"Q5_0", 0x41a182ce8e4d2325ull, {-3.158569336e+00f, 6.317138672e-01f, 2.947998047e+00f}},
    {"Q8_0", 0xa3e16957abbbbee5ull, {3.607177734e-01f, 5.365676880e-01f, -7.214355469e-02f}},
    {"Q4_K", 0x49ba56b86d6670a1ull, {-2.555767822e+01f, -5.159576416e+01f, -4.415631104e+01f}},
    {"Q5_K", 0x124ce59f83906067ull, {-1.093053818e-02f, 2.264199257e-01f, 1.275238991e-01f}},
    {"Q6_K", 0x777eeb35f9665f11ull, {1.453417969e+02f, -4.360253906e+02f, -4.602490234e+02f}},
    {"F16", 0xa29fcd307f1d2325ull, {1.000000000e+00f, 1.000976562e+00f, 1.001953125e+00f}},
    {"BF16", 0xae864f38855e2325ull, {7.812500000e-03f, 7.873535156e-03f, 7.934570312e-03f}},
};
