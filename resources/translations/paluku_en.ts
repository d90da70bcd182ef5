<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US" sourcelanguage="en">
<context>
    <name>paluku::ChatController</name>
    <message numerus="yes">
        <source>%1, and the processor for the experts of %Ln layer(s)</source>
        <translation>
            <numerusform>%1, and the processor for the experts of %Ln layer</numerusform>
            <numerusform>%1, and the processor for the experts of %Ln layers</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>paluku::ConversationListModel</name>
    <message numerus="yes">
        <source>%n conversation(s) deleted</source>
        <translation>
            <numerusform>%n conversation deleted</numerusform>
            <numerusform>%n conversations deleted</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>paluku::LatentMeter</name>
    <message numerus="yes">
        <source>room for about %n more word(s)</source>
        <translation>
            <numerusform>room for about %n more word</numerusform>
            <numerusform>room for about %n more words</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>paluku::SettingsController</name>
    <message numerus="yes">
        <source>%Ln token(s)</source>
        <translation>
            <numerusform>%Ln token</numerusform>
            <numerusform>%Ln tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>paluku::TranscriptModel</name>
    <message numerus="yes">
        <source>%Ln token(s)</source>
        <translation>
            <numerusform>%Ln token</numerusform>
            <numerusform>%Ln tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>code, %1, %n line(s)</source>
        <translation>
            <numerusform>code, %1, %n line</numerusform>
            <numerusform>code, %1, %n lines</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show all %Ln line(s)</source>
        <translation>
            <numerusform>Show all %Ln line</numerusform>
            <numerusform>Show all %Ln lines</numerusform>
        </translation>
    </message>
</context>
</TS>
