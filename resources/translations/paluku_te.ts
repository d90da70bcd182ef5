<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="te_IN" sourcelanguage="en">
<context>
    <name>AboutPaluku</name>
    <message>
        <source>Private, offline chat with DeepSeek models on your own computer.</source>
        <translation>మీ కంప్యూటర్‌లోనే, నెట్‌వర్క్ లేకుండా, DeepSeek మోడళ్లతో సొంత సంభాషణ.</translation>
    </message>
    <message>
        <source>About</source>
        <translation>పలుకు గురించి</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>వెర్షన్</translation>
    </message>
    <message>
        <source>Your conversations are kept in</source>
        <translation>మీ సంభాషణలు ఉండే చోటు</translation>
    </message>
    <message>
        <source>Paluku is free software under the MIT licence. It uses Qt under the LGPL, version 3, and the Noto fonts under the SIL Open Font License 1.1.</source>
        <translation>పలుకు MIT లైసెన్స్ కింద స్వేచ్ఛా సాఫ్ట్‌వేర్. ఇది LGPL వెర్షన్ 3 కింద Qt‌ని, SIL Open Font License 1.1 కింద Noto అక్షరాలను వాడుతుంది.</translation>
    </message>
</context>
<context>
    <name>AddModelDialog</name>
    <message>
        <source>Add a model</source>
        <translation>మోడల్ జోడించండి</translation>
    </message>
    <message>
        <source>Model files (%1)</source>
        <translation>మోడల్ ఫైళ్లు (%1)</translation>
    </message>
</context>
<context>
    <name>AnswerSettings</name>
    <message>
        <source>Answers</source>
        <translation>జవాబులు</translation>
    </message>
    <message>
        <source>Instruction to the model</source>
        <translation>మోడల్‌కు సూచన</translation>
    </message>
    <message>
        <source>Stands before every conversation, for example: Answer in Telugu.</source>
        <translation>ప్రతి సంభాషణ ముందు ఉంటుంది, ఉదాహరణకు: తెలుగులో జవాబు చెప్పు.</translation>
    </message>
    <message>
        <source>Variety (temperature)</source>
        <translation>వైవిధ్యం (temperature)</translation>
    </message>
    <message>
        <source>Choice of words</source>
        <translation>మాటల ఎంపిక</translation>
    </message>
    <message>
        <source>Among the likeliest (top-k)</source>
        <translation>ఎక్కువ అవకాశం ఉన్నవాటిలో (top-k)</translation>
    </message>
    <message>
        <source>Within a share of the likelihood (top-p)</source>
        <translation>మొత్తం అవకాశంలో ఇంత వాటా (top-p)</translation>
    </message>
    <message>
        <source>Likely enough beside the likeliest (min-p)</source>
        <translation>మొదటిదానితో పోల్చితే కనీస అవకాశం (min-p)</translation>
    </message>
    <message>
        <source>Against repetition</source>
        <translation>మళ్లీ మళ్లీ చెప్పకుండా</translation>
    </message>
    <message>
        <source>Towards new subjects (presence)</source>
        <translation>కొత్త విషయాల వైపు (presence)</translation>
    </message>
    <message>
        <source>Towards new words (frequency)</source>
        <translation>కొత్త మాటల వైపు (frequency)</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>విత్తు (seed)</translation>
    </message>
    <message>
        <source>The same seed and question give the same answer.</source>
        <translation>ఒకే విత్తు, ఒకే ప్రశ్న అయితే జవాబు ఒకటే.</translation>
    </message>
    <message>
        <source>another each time</source>
        <translation>ప్రతిసారీ వేరు</translation>
    </message>
</context>
<context>
    <name>CodeBlock</name>
    <message>
        <source>Copied</source>
        <translation>కాపీ అయింది</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>కాపీ చేయి</translation>
    </message>
    <message>
        <source>Show all</source>
        <translation>మొత్తం చూపు</translation>
    </message>
</context>
<context>
    <name>ConversationRow</name>
    <message>
        <source>Rename or delete</source>
        <translation>పేరు మార్చు లేదా తొలగించు</translation>
    </message>
    <message>
        <source>New name</source>
        <translation>కొత్త పేరు</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>పేరు మార్చు</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>తొలగించు</translation>
    </message>
    <message>
        <source>Del</source>
        <comment>key</comment>
        <translation>Del</translation>
    </message>
</context>
<context>
    <name>Error</name>
    <message>
        <source>“%1” is not there.</source>
        <translation>“%1” అక్కడ లేదు.</translation>
    </message>
    <message>
        <source>“%1” may not be read: permission is missing.</source>
        <translation>“%1” చదవడానికి అనుమతి లేదు.</translation>
    </message>
    <message>
        <source>“%1” is not a file.</source>
        <translation>“%1” ఫైల్ కాదు.</translation>
    </message>
    <message>
        <source>“%1” could not be read or written: %2.</source>
        <translation>“%1” చదవడం లేదా రాయడం కుదరలేదు: %2.</translation>
    </message>
    <message>
        <source>The disk is full: “%1” could not be written.</source>
        <translation>డిస్క్ నిండింది: “%1” రాయడం కుదరలేదు.</translation>
    </message>
    <message>
        <source>“%1” is empty.</source>
        <translation>“%1” ఖాళీగా ఉంది.</translation>
    </message>
    <message>
        <source>“%1” is not a GGUF model file.</source>
        <translation>“%1” GGUF మోడల్ ఫైల్ కాదు.</translation>
    </message>
    <message>
        <source>“%1” ends too early (%2). Download it again.</source>
        <translation>“%1” మధ్యలోనే ఆగిపోయింది (%2). మళ్లీ డౌన్‌లోడ్ చేయండి.</translation>
    </message>
    <message>
        <source>“%1” is damaged (%2). Download it again.</source>
        <translation>“%1” పాడైంది (%2). మళ్లీ డౌన్‌లోడ్ చేయండి.</translation>
    </message>
    <message>
        <source>“%1” goes beyond what a model file may hold (%2).</source>
        <translation>“%1” మోడల్ ఫైల్ హద్దులు దాటింది (%2).</translation>
    </message>
    <message>
        <source>“%1” has format version %2, which Paluku cannot read.</source>
        <translation>“%1” వెర్షన్ %2లో ఉంది, దాన్ని పలుకు చదవలేదు.</translation>
    </message>
    <message>
        <source>“%1” holds a model of the family “%2”, which Paluku cannot run.</source>
        <translation>“%1”లో ఉన్నది “%2” రకం మోడల్, దాన్ని పలుకు నడపలేదు.</translation>
    </message>
    <message>
        <source>“%1” stores weights in a way that Paluku cannot read (%2).</source>
        <translation>“%1”లో అంకెలు దాచిన పద్ధతిని పలుకు చదవలేదు (%2).</translation>
    </message>
    <message>
        <source>“%1” needs the tokenizer “%2”, which Paluku does not have.</source>
        <translation>“%1” కోసం “%2” టోకెనైజర్ కావాలి, అది పలుకులో లేదు.</translation>
    </message>
    <message>
        <source>The chat template of “%1” cannot be used (%2).</source>
        <translation>“%1” చాట్ టెంప్లేట్‌ను ఉపయోగించడం కుదరదు (%2).</translation>
    </message>
    <message>
        <source>“%1” cannot be run by Paluku: %2.</source>
        <translation>“%1” పలుకులో నడవదు: %2.</translation>
    </message>
    <message>
        <source>“%1” lacks the entry “%2”.</source>
        <translation>“%1”లో “%2” అనే నమోదు లేదు.</translation>
    </message>
    <message>
        <source>“%1” lacks the tensor “%2”.</source>
        <translation>“%1”లో “%2” అనే టెన్సర్ లేదు.</translation>
    </message>
    <message>
        <source>“%1” holds a value that cannot be right (%2).</source>
        <translation>“%1”లో ఒక విలువ సరైనది కాదు (%2).</translation>
    </message>
    <message>
        <source>There is not enough memory for “%1”: %2 are needed.</source>
        <translation>“%1” కోసం మెమరీ చాలదు: %2 కావాలి.</translation>
    </message>
    <message>
        <source>The context is full: %2 tokens.</source>
        <translation>సందర్భం నిండింది: %2 టోకెన్లు.</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>ఆపారు.</translation>
    </message>
    <message>
        <source>No model is loaded.</source>
        <translation>ఏ మోడల్ సిద్ధంగా లేదు.</translation>
    </message>
    <message>
        <source>The device “%1” failed: %2.</source>
        <translation>“%1” పరికరం పనిచేయలేదు: %2.</translation>
    </message>
    <message>
        <source>%1: %2.</source>
        <translation>%1: %2.</translation>
    </message>
    <message>
        <source>Paluku is already open and holds “%1”. Close it first.</source>
        <translation>పలుకు ఇప్పటికే తెరిచి ఉంది, “%1” దాని చేతిలో ఉంది. ముందు దాన్ని మూసేయండి.</translation>
    </message>
    <message>
        <source>“%1” was saved by a newer Paluku (version %2). It can be read here, not changed.</source>
        <translation>“%1” ఇంకా కొత్త పలుకు (వెర్షన్ %2) సేవ్ చేసినది. ఇక్కడ చదవవచ్చు, మార్చలేరు.</translation>
    </message>
    <message>
        <source>“%1” was damaged; the damaged file is kept as “%2”.</source>
        <translation>“%1” పాడైంది; పాడైన ఫైల్ “%2”గా ఉంది.</translation>
    </message>
    <message>
        <source>“%1” was not found.</source>
        <translation>“%1” ఎక్కడా దొరకలేదు.</translation>
    </message>
    <message>
        <source>Something went wrong inside Paluku (%2).</source>
        <translation>పలుకు లోపల ఏదో పొరపాటు జరిగింది (%2).</translation>
    </message>
    <message>
        <source>There is not enough memory.</source>
        <translation>మెమరీ చాలదు.</translation>
    </message>
    <message>
        <source>There is not enough memory: %2 are needed.</source>
        <translation>మెమరీ చాలదు: %2 కావాలి.</translation>
    </message>
</context>
<context>
    <name>ErrorDetail</name>
    <message>
        <source>line %1</source>
        <translation>%1వ పంక్తి</translation>
    </message>
    <message>
        <source>length of the chat template</source>
        <translation>చాట్ టెంప్లేట్ పొడవు</translation>
    </message>
    <message>
        <source>it leaves out what the user says</source>
        <translation>అది మీ మాటలను వదిలేస్తుంది</translation>
    </message>
    <message>
        <source>it leaves out earlier messages</source>
        <translation>అది మునుపటి సందేశాలను వదిలేస్తుంది</translation>
    </message>
    <message>
        <source>the tag &quot;%1&quot; is not supported here</source>
        <translation>“%1” ట్యాగ్ ఇక్కడ పనిచేయదు</translation>
    </message>
    <message>
        <source>the filter &quot;%1&quot; is not supported</source>
        <translation>“%1” ఫిల్టర్ పనిచేయదు</translation>
    </message>
    <message>
        <source>the test &quot;%1&quot; is not supported</source>
        <translation>“%1” పరీక్ష పనిచేయదు</translation>
    </message>
    <message>
        <source>the function &quot;%1&quot; is not known</source>
        <translation>“%1” ఫంక్షన్ తెలియదు</translation>
    </message>
    <message>
        <source>&quot;%1&quot; is undefined</source>
        <translation>“%1” నిర్వచించలేదు</translation>
    </message>
    <message>
        <source>&quot;%1&quot; is undefined and holds nothing</source>
        <translation>“%1” నిర్వచించలేదు, అందులో ఏమీ లేదు</translation>
    </message>
    <message>
        <source>the template refuses this conversation: %1</source>
        <translation>టెంప్లేట్ ఈ సంభాషణను ఒప్పుకోదు: %1</translation>
    </message>
    <message>
        <source>takes too many steps</source>
        <translation>చాలా ఎక్కువ పని చేస్తుంది</translation>
    </message>
    <message>
        <source>needs too much memory</source>
        <translation>చాలా ఎక్కువ మెమరీ అడుగుతుంది</translation>
    </message>
    <message>
        <source>makes a text that is too long</source>
        <translation>చాలా పొడవైన పాఠం తయారు చేస్తుంది</translation>
    </message>
    <message>
        <source>writes too much</source>
        <translation>చాలా ఎక్కువ రాస్తుంది</translation>
    </message>
    <message>
        <source>is nested too deeply</source>
        <translation>చాలా లోతుగా ఒకదానిలో ఒకటి ఉన్నాయి</translation>
    </message>
    <message>
        <source>goes too deep</source>
        <translation>చాలా లోతుకు వెళ్తుంది</translation>
    </message>
    <message>
        <source>not a whole number</source>
        <translation>పూర్ణ సంఖ్య కాదు</translation>
    </message>
    <message>
        <source>not whole numbers</source>
        <translation>పూర్ణ సంఖ్యలు కావు</translation>
    </message>
    <message>
        <source>not numbers</source>
        <translation>సంఖ్యలు కావు</translation>
    </message>
    <message>
        <source>not finite</source>
        <translation>లెక్కకు రాని సంఖ్య</translation>
    </message>
    <message>
        <source>while it was read</source>
        <translation>చదువుతుండగా</translation>
    </message>
    <message>
        <source>too much metadata</source>
        <translation>మెటాడేటా మరీ ఎక్కువ</translation>
    </message>
    <message>
        <source>too many metadata entries</source>
        <translation>మెటాడేటా నమోదులు మరీ ఎక్కువ</translation>
    </message>
    <message>
        <source>too many tensors</source>
        <translation>టెన్సర్లు మరీ ఎక్కువ</translation>
    </message>
    <message>
        <source>too many texts</source>
        <translation>పాఠాలు మరీ ఎక్కువ</translation>
    </message>
    <message>
        <source>too many files</source>
        <translation>ఫైళ్లు మరీ ఎక్కువ</translation>
    </message>
    <message>
        <source>too many files are mapped</source>
        <translation>తెరిచిన ఫైళ్లు మరీ ఎక్కువ</translation>
    </message>
    <message>
        <source>too many dimensions</source>
        <translation>కొలతలు మరీ ఎక్కువ</translation>
    </message>
    <message>
        <source>a text is too long</source>
        <translation>ఒక పాఠం మరీ పొడవు</translation>
    </message>
    <message>
        <source>the name is too long</source>
        <translation>పేరు మరీ పొడవు</translation>
    </message>
    <message>
        <source>a name is too long</source>
        <translation>ఒక పేరు మరీ పొడవు</translation>
    </message>
    <message>
        <source>the name is not readable</source>
        <translation>పేరు చదవడానికి రాదు</translation>
    </message>
    <message>
        <source>a name is not readable</source>
        <translation>ఒక పేరు చదవడానికి రాదు</translation>
    </message>
    <message>
        <source>it is there twice</source>
        <translation>రెండుసార్లు ఉంది</translation>
    </message>
    <message>
        <source>a field is there twice</source>
        <translation>ఒక అంశం రెండుసార్లు ఉంది</translation>
    </message>
    <message>
        <source>neither true nor false</source>
        <translation>true కాదు, false కాదు</translation>
    </message>
    <message>
        <source>unknown kind of value</source>
        <translation>తెలియని రకం విలువ</translation>
    </message>
    <message>
        <source>unknown kind of array</source>
        <translation>తెలియని రకం వరుస</translation>
    </message>
    <message>
        <source>the array is too long</source>
        <translation>వరుస మరీ పొడవు</translation>
    </message>
    <message>
        <source>not a power of two</source>
        <translation>2, 4, 8… లాంటి సంఖ్య కాదు</translation>
    </message>
    <message>
        <source>its place is not aligned</source>
        <translation>దాని చోటు సరిగా లేదు</translation>
    </message>
    <message>
        <source>an empty dimension</source>
        <translation>ఒక కొలత సున్నా</translation>
    </message>
    <message>
        <source>a dimension is too large</source>
        <translation>ఒక కొలత మరీ పెద్దది</translation>
    </message>
    <message>
        <source>its rows are no whole blocks of %1</source>
        <translation>వరుసలు %1 దిమ్మెలుగా సరిపోవు</translation>
    </message>
    <message>
        <source>it overlaps another tensor</source>
        <translation>మరో టెన్సర్ మీద పడుతోంది</translation>
    </message>
    <message>
        <source>a gap lies before it</source>
        <translation>దాని ముందు ఖాళీ ఉంది</translation>
    </message>
    <message>
        <source>bytes behind the last tensor</source>
        <translation>చివరి టెన్సర్ తర్వాత అదనపు బైట్లు</translation>
    </message>
    <message>
        <source>another file has it as well</source>
        <translation>అది మరో ఫైల్‌లో కూడా ఉంది</translation>
    </message>
    <message>
        <source>an unknown field</source>
        <translation>తెలియని అంశం</translation>
    </message>
    <message>
        <source>not a JSON object</source>
        <translation>JSON కాదు</translation>
    </message>
    <message>
        <source>its table is no JSON</source>
        <translation>దాని పట్టిక JSON కాదు</translation>
    </message>
    <message>
        <source>size of the file</source>
        <translation>ఫైల్ పరిమాణం</translation>
    </message>
    <message>
        <source>depth of the JSON</source>
        <translation>JSON లోతు</translation>
    </message>
    <message>
        <source>number of values in the JSON</source>
        <translation>JSON లోని విలువల సంఖ్య</translation>
    </message>
    <message>
        <source>length of a token</source>
        <translation>టోకెన్ పొడవు</translation>
    </message>
    <message>
        <source>length of the tokens</source>
        <translation>టోకెన్ల పొడవు</translation>
    </message>
    <message>
        <source>number of tokens</source>
        <translation>టోకెన్ల సంఖ్య</translation>
    </message>
    <message>
        <source>number of scores</source>
        <translation>స్కోర్‌ల సంఖ్య</translation>
    </message>
    <message>
        <source>score of a token</source>
        <translation>టోకెన్ స్కోర్</translation>
    </message>
    <message>
        <source>id of a token</source>
        <translation>టోకెన్ సంఖ్య</translation>
    </message>
    <message>
        <source>special token</source>
        <translation>ప్రత్యేక టోకెన్</translation>
    </message>
    <message>
        <source>two tokens with one id</source>
        <translation>ఒకే సంఖ్యతో రెండు టోకెన్లు</translation>
    </message>
    <message>
        <source>more tokens than the model has rows for</source>
        <translation>మోడల్ వరుసల కన్నా టోకెన్లు ఎక్కువ</translation>
    </message>
    <message>
        <source>no token for byte %1</source>
        <translation>బైట్ %1 కోసం టోకెన్ లేదు</translation>
    </message>
    <message>
        <source>merge %1 joins tokens that are not there</source>
        <translation>%1వ జోడింపు లేని టోకెన్లను కలుపుతోంది</translation>
    </message>
    <message>
        <source>no layers</source>
        <translation>పొరలు లేవు</translation>
    </message>
    <message>
        <source>queries with a temperature are not known</source>
        <translation>temperature ఉన్న అటెన్షన్ తెలియదు</translation>
    </message>
    <message>
        <source>its attention has no latent</source>
        <translation>దీని అటెన్షన్‌లో అంతర్లీన విలువలు లేవు</translation>
    </message>
    <message>
        <source>the attention of this generation is not known</source>
        <translation>ఈ తరం అటెన్షన్ తెలియదు</translation>
    </message>
    <message>
        <source>layers that share an indexer are not known</source>
        <translation>indexer ను పంచుకునే పొరలు తెలియవు</translation>
    </message>
    <message>
        <source>its linear attention is not known</source>
        <translation>దీని సరళ అటెన్షన్ తెలియదు</translation>
    </message>
    <message>
        <source>its double layers are not known</source>
        <translation>దీని జంట పొరలు తెలియవు</translation>
    </message>
    <message>
        <source>the model is spread over %1 files, which Paluku cannot join; use a single file</source>
        <translation>మోడల్ %1 ఫైళ్లలో ఉంది, పలుకు వాటిని కలపలేదు; ఒకే ఫైల్ వాడండి</translation>
    </message>
    <message>
        <source>it changed while it was loaded</source>
        <translation>తెరుస్తుండగా మారింది</translation>
    </message>
    <message>
        <source>it was cut short while in use</source>
        <translation>వాడుతుండగా మధ్యలో తెగింది</translation>
    </message>
    <message>
        <source>its weights give no answer</source>
        <translation>దాని అంకెలు జవాబు ఇవ్వవు</translation>
    </message>
    <message>
        <source>it is empty</source>
        <translation>ఖాళీగా ఉంది</translation>
    </message>
    <message>
        <source>the model has no token %1</source>
        <translation>మోడల్‌లో %1 టోకెన్ లేదు</translation>
    </message>
    <message>
        <source>this model&apos;s latent of %1 values cannot be divided into groups</source>
        <translation>ఈ మోడల్ అంతర్లీన విలువలు (%1) సమాన గుంపులుగా విడిపోవు</translation>
    </message>
    <message>
        <source>the file names none</source>
        <translation>ఫైల్‌లో ఏదీ లేదు</translation>
    </message>
    <message>
        <source>the vocabulary lacks %1</source>
        <translation>పదకోశంలో %1 లేదు</translation>
    </message>
    <message>
        <source>this processor cannot run it</source>
        <translation>ఈ ప్రాసెసర్ దాన్ని నడపలేదు</translation>
    </message>
    <message>
        <source>there is no NVIDIA card</source>
        <translation>NVIDIA కార్డు లేదు</translation>
    </message>
    <message>
        <source>the NVIDIA driver is missing or too old</source>
        <translation>NVIDIA డ్రైవర్ లేదు లేదా చాలా పాతది</translation>
    </message>
    <message>
        <source>the package paluku-cuda is not installed</source>
        <translation>paluku-cuda ప్యాకేజీ లేదు</translation>
    </message>
    <message>
        <source>the package paluku-cuda is of another version than Paluku</source>
        <translation>paluku-cuda ప్యాకేజీ వెర్షన్, పలుకు వెర్షన్ వేరువేరు</translation>
    </message>
    <message>
        <source>%1 is older than Turing</source>
        <translation>%1 Turing కంటే పాతది</translation>
    </message>
    <message>
        <source>there is no backend of this name</source>
        <translation>ఈ పేరుతో ఏదీ లేదు</translation>
    </message>
    <message>
        <source>the message is of another conversation</source>
        <translation>ఆ సందేశం మరో సంభాషణది</translation>
    </message>
    <message>
        <source>the backup does not verify</source>
        <translation>బ్యాకప్ సరిగ్గా లేదు</translation>
    </message>
    <message>
        <source>the repaired database is not sound</source>
        <translation>బాగుచేసిన డేటాబేస్ సరిగ్గా లేదు</translation>
    </message>
    <message>
        <source>it is damaged; Paluku repairs it at the next start</source>
        <translation>అది పాడైంది; పలుకు మళ్లీ తెరిచినప్పుడు బాగవుతుంది</translation>
    </message>
    <message>
        <source>another program is using it</source>
        <translation>మరో ప్రోగ్రామ్ దాన్ని వాడుతోంది</translation>
    </message>
    <message>
        <source>a text of more than 64 MiB cannot be kept</source>
        <translation>64 MiB మించిన పాఠం దాచలేం</translation>
    </message>
    <message>
        <source>a file is where a folder should be</source>
        <translation>ఫోల్డర్ ఉండాల్సిన చోట ఫైల్ ఉంది</translation>
    </message>
    <message>
        <source>no home directory is known</source>
        <translation>హోమ్ ఫోల్డర్ తెలియదు</translation>
    </message>
    <message>
        <source>this folder is on a network file system (%1); conversations can only be kept on a disk of this computer</source>
        <translation>ఈ ఫోల్డర్ నెట్‌వర్క్ డిస్క్‌లో ఉంది (%1); సంభాషణలు ఈ కంప్యూటర్ డిస్క్‌లోనే ఉండాలి</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>డిస్క్ స్పందించలేదు</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>డిస్క్ చదవడానికి మాత్రమే</translation>
    </message>
    <message>
        <source>No such device</source>
        <translation>పరికరం లేదు</translation>
    </message>
    <message>
        <source>only a last reply can be continued</source>
        <translation>చివరి జవాబునే కొనసాగించవచ్చు</translation>
    </message>
</context>
<context>
    <name>FirstRun</name>
    <message>
        <source>Ask something. It stays on this computer.</source>
        <translation>ఏదైనా అడగండి. అది ఈ కంప్యూటర్‌లోనే ఉంటుంది.</translation>
    </message>
    <message>
        <source>A small starter model is ready. It speaks simply; add a larger model when you like.</source>
        <translation>చిన్న తొలి మోడల్ సిద్ధంగా ఉంది. అది సరళంగా మాట్లాడుతుంది; కావాలంటే పెద్ద మోడల్ జోడించండి.</translation>
    </message>
    <message>
        <source>Add a model file…</source>
        <translation>మోడల్ ఫైల్ జోడించు…</translation>
    </message>
</context>
<context>
    <name>Formatting</name>
    <message>
        <source>%1 tokens/s</source>
        <translation>సెకనుకు %1 టోకెన్లు</translation>
    </message>
    <message>
        <source>about %1 s</source>
        <translation>సుమారు %1 సె.</translation>
    </message>
    <message>
        <source>about %1 min</source>
        <translation>సుమారు %1 ని.</translation>
    </message>
</context>
<context>
    <name>GeneralSettings</name>
    <message>
        <source>General</source>
        <translation>సాధారణం</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>భాష</translation>
    </message>
    <message>
        <source>Enter sends</source>
        <translation>Enter నొక్కితే పంపు</translation>
    </message>
    <message>
        <source>When this is off, Ctrl+Enter sends and Enter begins a new line.</source>
        <translation>ఇది లేకపోతే Ctrl+Enter పంపుతుంది, Enter కొత్త వరుస మొదలుపెడుతుంది.</translation>
    </message>
</context>
<context>
    <name>InlineError</name>
    <message>
        <source>Close</source>
        <translation>మూసేయి</translation>
    </message>
</context>
<context>
    <name>JumpPill</name>
    <message>
        <source>Jump to latest</source>
        <translation>చివరికి వెళ్లు</translation>
    </message>
</context>
<context>
    <name>LinkPopover</name>
    <message>
        <source>Open %1 in the browser?</source>
        <translation>%1ని బ్రౌజర్‌లో తెరవాలా?</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>తెరువు</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>కాపీ చేయి</translation>
    </message>
</context>
<context>
    <name>LookSettings</name>
    <message>
        <source>Appearance</source>
        <translation>రూపం</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>రంగులు</translation>
    </message>
    <message>
        <source>System</source>
        <translation>సిస్టమ్</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>వెలుగు</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>చీకటి</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>అక్షరాల పరిమాణం</translation>
    </message>
    <message>
        <source>High contrast</source>
        <translation>హై కాంట్రాస్ట్</translation>
    </message>
    <message>
        <source>Reduce motion</source>
        <translation>కదలికలు తగ్గించు</translation>
    </message>
</context>
<context>
    <name>Main</name>
    <message>
        <source>%1 – Paluku</source>
        <translation>%1 – పలుకు</translation>
    </message>
</context>
<context>
    <name>MeterPopover</name>
    <message>
        <source>Context</source>
        <translation>సందర్భం</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>వాడుతున్నది</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>మెమరీ</translation>
    </message>
    <message>
        <source>Latent cache</source>
        <translation>అంతర్లీన కాష్</translation>
    </message>
    <message>
        <source>Ordinary attention</source>
        <translation>మామూలు అటెన్షన్</translation>
    </message>
</context>
<context>
    <name>ModelButton</name>
    <message>
        <source>Model: %1</source>
        <translation>మోడల్: %1</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>మోడల్ ఎంచుకోండి</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>మోడల్</translation>
    </message>
</context>
<context>
    <name>ModelChoices</name>
    <message>
        <source>Models</source>
        <translation>మోడళ్లు</translation>
    </message>
    <message>
        <source>Add a model…</source>
        <translation>మోడల్ జోడించు…</translation>
    </message>
    <message>
        <source>Manage models</source>
        <translation>మోడళ్ల పేజీ</translation>
    </message>
</context>
<context>
    <name>ModelDrop</name>
    <message>
        <source>Add the file as a model</source>
        <translation>ఈ ఫైల్‌ను మోడల్‌గా జోడించు</translation>
    </message>
</context>
<context>
    <name>ModelNote</name>
    <message>
        <source>The file lacks “%1”; %2 is assumed.</source>
        <translation>ఫైల్‌లో “%1” లేదు; దాని విలువ “%2” అని తీసుకున్నాం.</translation>
    </message>
    <message>
        <source>Layers for multi-token prediction are not used: %1.</source>
        <translation>పలు టోకెన్లను ఒకేసారి ఊహించే పొరలను వాడం: %1.</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>అవును</translation>
    </message>
    <message>
        <source>no</source>
        <translation>కాదు</translation>
    </message>
</context>
<context>
    <name>ModelRow</name>
    <message>
        <source>Computed by: %1</source>
        <translation>లెక్కించేది: %1</translation>
    </message>
    <message>
        <source>In use</source>
        <translation>వాడుతున్నది</translation>
    </message>
    <message>
        <source>Use this model</source>
        <translation>ఈ మోడల్ వాడు</translation>
    </message>
    <message>
        <source>More</source>
        <translation>మరిన్ని</translation>
    </message>
    <message>
        <source>Remove from list</source>
        <translation>జాబితా నుంచి తీసేయి</translation>
    </message>
    <message>
        <source>Notes on this file</source>
        <translation>ఈ ఫైల్ గురించి వివరాలు</translation>
    </message>
</context>
<context>
    <name>ModelSettings</name>
    <message>
        <source>Models</source>
        <translation>మోడళ్లు</translation>
    </message>
    <message>
        <source>Computed by</source>
        <translation>లెక్కించేది</translation>
    </message>
    <message>
        <source>Processor threads</source>
        <translation>ప్రాసెసర్ థ్రెడ్‌లు</translation>
    </message>
    <message>
        <source>Longest context</source>
        <translation>సందర్భం హద్దు</translation>
    </message>
    <message>
        <source>This holds from the next time a model is made ready.</source>
        <translation>మోడల్ మళ్లీ సిద్ధమైనప్పటి నుంచి ఇది వర్తిస్తుంది.</translation>
    </message>
</context>
<context>
    <name>ModelsPage</name>
    <message>
        <source>Models</source>
        <translation>మోడళ్లు</translation>
    </message>
    <message>
        <source>Add a model…</source>
        <translation>మోడల్ జోడించు…</translation>
    </message>
    <message>
        <source>Paluku runs DeepSeek models in .gguf files. A file stays where it is; it is never copied or changed.</source>
        <translation>పలుకు .gguf ఫైళ్లలోని DeepSeek మోడళ్లను నడుపుతుంది. ఫైల్ ఉన్నచోటే ఉంటుంది; దాన్ని కాపీ చేయదు, మార్చదు.</translation>
    </message>
</context>
<context>
    <name>OfflineLine</name>
    <message>
        <source>Offline. The network was never used.</source>
        <translation>ఆఫ్‌లైన్. నెట్‌వర్క్ ఎప్పుడూ వాడలేదు.</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>ఆఫ్‌లైన్</translation>
    </message>
    <message>
        <source>network never used</source>
        <translation>నెట్‌వర్క్ వాడలేదు</translation>
    </message>
</context>
<context>
    <name>PageHeader</name>
    <message>
        <source>Show the sidebar</source>
        <translation>పక్క పట్టీ చూపు</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>మూసేయి</translation>
    </message>
</context>
<context>
    <name>SendButton</name>
    <message>
        <source>Stop</source>
        <translation>ఆపు</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>పంపు</translation>
    </message>
</context>
<context>
    <name>SettingsGroup</name>
    <message>
        <source>More</source>
        <translation>మరిన్ని</translation>
    </message>
    <message>
        <source>Restore defaults</source>
        <translation>మొదటి విలువలు తిరిగి పెట్టు</translation>
    </message>
</context>
<context>
    <name>SettingsPage</name>
    <message>
        <source>General</source>
        <translation>సాధారణం</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>రూపం</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>జవాబులు</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>మోడళ్లు</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>కీబోర్డ్ షార్ట్‌కట్‌లు</translation>
    </message>
    <message>
        <source>About</source>
        <translation>పలుకు గురించి</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>సెట్టింగ్‌లు</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>వెనక్కి</translation>
    </message>
</context>
<context>
    <name>ShortcutList</name>
    <message>
        <source>Send, or Ctrl+Enter if you chose so</source>
        <translation>పంపు (మీరు అలా ఎంచుకుంటే Ctrl+Enter)</translation>
    </message>
    <message>
        <source>New line</source>
        <translation>కొత్త వరుస</translation>
    </message>
    <message>
        <source>Close what is open, then stop the answer</source>
        <translation>తెరిచి ఉన్నదాన్ని మూసేయి, తర్వాత జవాబును ఆపు</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>కొత్త సంభాషణ</translation>
    </message>
    <message>
        <source>To the text field</source>
        <translation>రాసే చోటికి వెళ్లు</translation>
    </message>
    <message>
        <source>Jump to latest</source>
        <translation>చివరికి వెళ్లు</translation>
    </message>
    <message>
        <source>Say again</source>
        <translation>మళ్లీ చెప్పు</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>చివరి జవాబు కాపీ చేయి</translation>
    </message>
    <message>
        <source>Copy the selection, or the focused turn</source>
        <translation>ఎంచుకున్నది, లేదా ఫోకస్‌లో ఉన్న మాట కాపీ చేయి</translation>
    </message>
    <message>
        <source>Previous or next turn</source>
        <translation>మునుపటి లేదా తర్వాతి మాట</translation>
    </message>
    <message>
        <source>Previous or next conversation</source>
        <translation>మునుపటి లేదా తర్వాతి సంభాషణ</translation>
    </message>
    <message>
        <source>Rename or delete the focused conversation</source>
        <translation>ఫోకస్‌లో ఉన్న సంభాషణ పేరు మార్చు లేదా తొలగించు</translation>
    </message>
    <message>
        <source>Undo: first the text, then the last deletion</source>
        <translation>వెనక్కి తీసుకురా: ముందు రాసింది, తర్వాత తొలగించింది</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>మోడల్ ఎంచుకోండి</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>మోడళ్లు</translation>
    </message>
    <message>
        <source>Add a model file</source>
        <translation>మోడల్ ఫైల్ జోడించు</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>పక్క పట్టీ చూపు లేదా దాచు</translation>
    </message>
    <message>
        <source>Next or previous part of the window</source>
        <translation>కిటికీలో తర్వాతి లేదా మునుపటి భాగం</translation>
    </message>
    <message>
        <source>Context menu</source>
        <translation>సందర్భ మెనూ</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>అక్షరాల పరిమాణం</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>సెట్టింగ్‌లు</translation>
    </message>
    <message>
        <source>This list</source>
        <translation>ఈ జాబితా</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>పూర్తి స్క్రీన్</translation>
    </message>
    <message>
        <source>Close the window, quit</source>
        <translation>కిటికీ మూసేయి, ముగించు</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>కీబోర్డ్ షార్ట్‌కట్‌లు</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>Hide the sidebar</source>
        <translation>పక్క పట్టీ దాచు</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>కొత్త సంభాషణ</translation>
    </message>
    <message>
        <source>Conversations</source>
        <translation>సంభాషణలు</translation>
    </message>
    <message>
        <source>No conversations yet</source>
        <translation>ఇంకా సంభాషణలు లేవు</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>మోడళ్లు</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>సెట్టింగ్‌లు</translation>
    </message>
</context>
<context>
    <name>Toast</name>
    <message>
        <source>Undo</source>
        <translation>వెనక్కి తీసుకురా</translation>
    </message>
</context>
<context>
    <name>Transcript</name>
    <message>
        <source>Conversation</source>
        <translation>సంభాషణ</translation>
    </message>
</context>
<context>
    <name>TranscriptMenu</name>
    <message>
        <source>Copy</source>
        <translation>కాపీ చేయి</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>చివరి జవాబు కాపీ చేయి</translation>
    </message>
    <message>
        <source>Say again</source>
        <translation>మళ్లీ చెప్పు</translation>
    </message>
</context>
<context>
    <name>TurnFooter</name>
    <message>
        <source>Try again</source>
        <translation>మళ్లీ ప్రయత్నించు</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>కాపీ అయింది</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>కాపీ చేయి</translation>
    </message>
    <message>
        <source>Say again</source>
        <translation>మళ్లీ చెప్పు</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>కొనసాగించు</translation>
    </message>
</context>
<context>
    <name>WordsBlock</name>
    <message>
        <source>Show all</source>
        <translation>మొత్తం చూపు</translation>
    </message>
</context>
<context>
    <name>paluku::ChatController</name>
    <message numerus="yes">
        <source>%1, and the processor for the experts of %Ln layer(s)</source>
        <translation>
            <numerusform>%1; %Ln పొర నిపుణులను ప్రాసెసర్ లెక్కిస్తుంది</numerusform>
            <numerusform>%1; %Ln పొరల నిపుణులను ప్రాసెసర్ లెక్కిస్తుంది</numerusform>
        </translation>
    </message>
    <message>
        <source>Processor</source>
        <translation>ప్రాసెసర్</translation>
    </message>
    <message>
        <source>Processor: the model does not fit on the graphics card</source>
        <translation>ప్రాసెసర్: మోడల్ గ్రాఫిక్స్ కార్డులో పట్టదు</translation>
    </message>
    <message>
        <source>Processor: %1</source>
        <translation>ప్రాసెసర్: %1</translation>
    </message>
    <message>
        <source>New conversation</source>
        <translation>కొత్త సంభాషణ</translation>
    </message>
    <message>
        <source>Write in English or తెలుగు</source>
        <translation>తెలుగులో లేదా English‌లో రాయండి</translation>
    </message>
    <message>
        <source>Write to %1</source>
        <translation>%1తో మాట్లాడండి</translation>
    </message>
    <message>
        <source>Stop first, or wait</source>
        <translation>ముందు ఆపండి, లేదా ఆగండి</translation>
    </message>
    <message>
        <source>Sends when ready</source>
        <translation>సిద్ధం కాగానే పంపుతుంది</translation>
    </message>
    <message>
        <source>Getting the model ready %1 %</source>
        <translation>మోడల్ సిద్ధమవుతోంది %1 %</translation>
    </message>
    <message>
        <source>Reading the prompt</source>
        <translation>మీ మాట చదువుతోంది</translation>
    </message>
    <message>
        <source>Reading the prompt %1 %</source>
        <translation>మీ మాట చదువుతోంది %1 %</translation>
    </message>
    <message>
        <source>Reading the prompt %1 %, %2</source>
        <translation>మీ మాట చదువుతోంది %1 %, %2</translation>
    </message>
    <message>
        <source>Over 64 kB: nothing was added</source>
        <translation>64 kB దాటింది: ఏమీ చేరలేదు</translation>
    </message>
</context>
<context>
    <name>paluku::ConversationListModel</name>
    <message>
        <source>Today</source>
        <translation>ఈ రోజు</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>నిన్న</translation>
    </message>
    <message>
        <source>%1, is answering</source>
        <translation>%1, జవాబు రాస్తోంది</translation>
    </message>
    <message>
        <source>%1, new answer</source>
        <translation>%1, కొత్త జవాబు</translation>
    </message>
    <message numerus="yes">
        <source>%n conversation(s) deleted</source>
        <translation>
            <numerusform>%n సంభాషణ తొలగించాం</numerusform>
            <numerusform>%n సంభాషణలు తొలగించాం</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>paluku::LatentMeter</name>
    <message>
        <source>%1 of %2 tokens</source>
        <translation>%2లో %1 టోకెన్లు</translation>
    </message>
    <message>
        <source>%1 instead of %2</source>
        <translation>%2 బదులు %1</translation>
    </message>
    <message>
        <source>Context %1 % full</source>
        <translation>సందర్భం %1 % నిండింది</translation>
    </message>
    <message numerus="yes">
        <source>room for about %n more word(s)</source>
        <translation>
            <numerusform>ఇంకా సుమారు %n పదానికి చోటుంది</numerusform>
            <numerusform>ఇంకా సుమారు %n పదాలకు చోటుంది</numerusform>
        </translation>
    </message>
    <message>
        <source>Context: %1, %2</source>
        <translation>సందర్భం: %1, %2</translation>
    </message>
</context>
<context>
    <name>paluku::LibraryController</name>
    <message>
        <source>%1 was added</source>
        <translation>%1 జోడించాం</translation>
    </message>
    <message>
        <source>%1 was taken from the list. Its file stays.</source>
        <translation>%1 జాబితా నుంచి తీసేశాం. దాని ఫైల్ అలాగే ఉంది.</translation>
    </message>
    <message>
        <source>Getting the model ready %1 %</source>
        <translation>మోడల్ సిద్ధమవుతోంది %1 %</translation>
    </message>
</context>
<context>
    <name>paluku::ModelListModel</name>
    <message>
        <source>Starter model</source>
        <translation>తొలి మోడల్</translation>
    </message>
    <message>
        <source>%1, %2 per token</source>
        <translation>%1, టోకెన్‌కు %2</translation>
    </message>
</context>
<context>
    <name>paluku::Notices</name>
    <message>
        <source>The processor computes until Paluku is started again.</source>
        <translation>పలుకు మళ్లీ మొదలయ్యే వరకు ప్రాసెసర్ లెక్కిస్తుంది.</translation>
    </message>
    <message>
        <source>Restart Paluku</source>
        <translation>పలుకును మళ్లీ మొదలుపెట్టండి</translation>
    </message>
</context>
<context>
    <name>paluku::SettingsController</name>
    <message>
        <source>System</source>
        <translation>సిస్టమ్</translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation>%1 %</translation>
    </message>
    <message>
        <source>off</source>
        <translation>లేదు</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>దానంతట అదే</translation>
    </message>
    <message numerus="yes">
        <source>%Ln token(s)</source>
        <translation>
            <numerusform>%Ln టోకెన్</numerusform>
            <numerusform>%Ln టోకెన్లు</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>paluku::TranscriptModel</name>
    <message>
        <source>You</source>
        <translation>మీరు</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>ఆలోచిస్తోంది…</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>ఆలోచన</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>ఆపారు</translation>
    </message>
    <message>
        <source>Paluku closed during this reply. What was written is kept.</source>
        <translation>ఈ జవాబు మధ్యలో పలుకు మూతపడింది. రాసినంత వరకు భద్రంగా ఉంది.</translation>
    </message>
    <message>
        <source>The context is full.</source>
        <translation>సందర్భం నిండింది.</translation>
    </message>
    <message>
        <source>The model stopped because of an error: %1. Your message is kept.</source>
        <translation>లోపం వల్ల మోడల్ ఆగింది: %1. మీ సందేశం భద్రంగా ఉంది.</translation>
    </message>
    <message numerus="yes">
        <source>%Ln token(s)</source>
        <translation>
            <numerusform>%Ln టోకెన్</numerusform>
            <numerusform>%Ln టోకెన్లు</numerusform>
        </translation>
    </message>
    <message>
        <source>first word after %1 s</source>
        <translation>తొలి మాట %1 సెకన్లకు</translation>
    </message>
    <message>
        <source>You: %1</source>
        <translation>మీరు: %1</translation>
    </message>
    <message numerus="yes">
        <source>code, %1, %n line(s)</source>
        <translation>
            <numerusform>కోడ్, %1, %n వరుస</numerusform>
            <numerusform>కోడ్, %1, %n వరుసలు</numerusform>
        </translation>
    </message>
    <message>
        <source>The reply reached the length that was allowed.</source>
        <translation>జవాబుకు అనుమతించిన పొడవు అయిపోయింది.</translation>
    </message>
    <message numerus="yes">
        <source>Show all %Ln line(s)</source>
        <translation>
            <numerusform>%Ln వరుస మొత్తం చూపు</numerusform>
            <numerusform>%Ln వరుసలూ చూపు</numerusform>
        </translation>
    </message>
</context>
</TS>
