"""Our own sentences: English, Telugu, Chinese, other scripts and code.

The small vocabularies are trained on them and test strings are drawn from them.
"""

ENGLISH = """
Paluku is a program for private conversations with a language model on your own computer.
The model reads your question, thinks about the next word, and writes it down; then it does the same again.
Nothing you type leaves this machine, and no account is needed.
Multi-head latent attention keeps a small latent vector for every token instead of full keys and values.
A mixture of experts holds many small networks, and only a few of them work on each token.
You can stop an answer at any time, edit the question, and ask again.
The library lists the models you have added, how large they are, and how much memory they need.
Rain fell on the river all night, but in the morning the boats went out as usual.
She counted 12 apples, 345 grapes and 6,789 grains of rice before breakfast.
What's the shortest way home? I don't know, but we'll find it; they've asked twice.
Settings change the language, the theme, the sampling and the number of threads.
Copy the code, paste it into a file, and run it: that's all there is to it!
"""

TELUGU = """
పలుకు మీ కంప్యూటర్‌లోనే పనిచేసే సంభాషణ కార్యక్రమం.
మీరు టైప్ చేసేది ఏదీ ఈ యంత్రం దాటి బయటకు వెళ్ళదు.
నమూనా మీ ప్రశ్నను చదివి, తరువాతి పదాన్ని ఆలోచించి రాస్తుంది.
తెలుగు భాష చాలా తీయనిది, దీనికి పొడవైన చరిత్ర ఉంది.
ఈ రోజు వాన కురిసింది, రేపు ఎండ కాస్తుంది అని అమ్మ చెప్పింది.
నిపుణుల మిశ్రమంలో కొన్ని చిన్న జాలాలు మాత్రమే ఒక్కో పదానికి పనిచేస్తాయి.
జవాబును ఎప్పుడైనా ఆపవచ్చు, ప్రశ్నను మార్చి మళ్ళీ అడగవచ్చు.
శ్రీకాకుళం నుండి హైదరాబాదు వరకు రైలు ప్రయాణం పన్నెండు గంటలు.
క్షమించండి, నాకు అర్థం కాలేదు; దయచేసి మళ్ళీ చెప్పండి.
పుస్తకాలు, పత్రికలు, పాటలు, కథలు అన్నీ మనసుకు ఇష్టం.
"""

CHINESE = """
这是一个在自己的电脑上运行的对话程序。
模型读取问题，然后一个词一个词地写出回答。
今天下了一整天的雨，河水慢慢涨了起来。
请把文件复制到这个文件夹里，再打开程序。
多头潜在注意力只保存很小的潜在向量。
我们明天早上八点在车站见面，好吗？
"""

OTHERS = """
Строка на русском языке: дождь шёл всю ночь, а утром вышло солнце.
Το ποτάμι κυλά αργά κάτω από τη γέφυρα.
日本語の文章です。カタカナとひらがなと漢字が混ざっています。
한국어 문장도 하나 있습니다. 오늘은 날씨가 맑습니다.
नमस्ते, आज मौसम बहुत अच्छा है।
مرحبا، كيف حالك اليوم؟
Đường về nhà không xa, nhưng trời đã tối rồi.
Äpfel, Öl und Übermut: größer als gewöhnlich.
"""

CODE = """
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)
for (int i = 0; i < count; ++i) { total += values[i] * 0.5f; }
const reply = await fetch(url).then(r => r.json()); // no network here
SELECT id, title FROM conversations WHERE deleted = 0 ORDER BY updated DESC;
if [ -f "$HOME/.config/paluku.conf" ]; then echo "found"; fi
std::vector<float> scores(experts, 0.0F);
<p class="note">5 &lt; 7 &amp;&amp; 7 &gt; 5</p>
{"ids": [17, 4], "pieces": ["He", "llo"], "ok": true}
x = (a**2 + b**2) ** 0.5  # hypotenuse
"""

LANGUAGES = {
    "english": ENGLISH,
    "telugu": TELUGU,
    "chinese": CHINESE,
    "other": OTHERS,
    "code": CODE,
}
SENTENCES = [line for text in LANGUAGES.values() for line in text.strip("\n").split("\n")]
