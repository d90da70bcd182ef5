// One row of the transcript: a block of a turn, or the footer that ends an answer. It places the name
// of the speaker, gives the block its room and knows where in its text a point lies.
pragma ComponentBehavior: Bound
import QtQuick
import Paluku
import PalukuApp

Item {
    id: row

    required property ChatController chat
    required property Columns frame
    required property bool turnFocused
    required property bool turnHovered

    required property int index
    required property string turnId
    required property int kind
    required property bool isUser
    required property string speaker
    required property string speakerFull
    required property bool firstInTurn
    required property bool lastInTurn
    required property bool lastTurn
    required property string text
    required property var spans
    required property string accessibleText
    required property int level
    required property string marker
    required property int listDepth
    required property int quoteDepth
    required property string language
    required property bool cut
    required property list<string> cells
    required property int columns
    required property list<int> alignments
    required property string label
    required property int turnState
    required property string stateText
    required property string figures
    required property bool canRetry

    signal hoverChanged(bool hovered)

    readonly property int indent: (quoteDepth * Theme.quoteIndent) + (listDepth * Theme.listIndent)
    readonly property int topGap: firstInTurn ? Theme.turnGap : kind === TranscriptModel.ListItem ? Theme.s4 : Theme.blockGap
    readonly property bool nameAbove: firstInTurn && !frame.namesInMargin
    readonly property int contentTop: topGap + (nameAbove ? Theme.labelBold.line + Theme.s4 : 0)

    implicitHeight: contentTop + block.height + (lastInTurn ? Theme.s4 : 0)
    Accessible.role: Accessible.ListItem
    Accessible.name: speaker
    Accessible.description: accessibleText

    // Offset in the text under a point of this row; -1 where controls lie.
    function positionAt(x: real, y: real): int {
        const body = block.item as BlockBody;
        return body ? body.positionAt(mapToItem(body, x, y)) : -1;
    }
    function focusControls(): void {
        (block.item as Item).forceActiveFocus(Qt.TabFocusReason);
    }

    HoverHandler {
        onHoveredChanged: row.hoverChanged(hovered)
    }
    Loader {
        active: row.firstInTurn
        sourceComponent: UiText {
            role: Theme.labelBold
            color: row.isUser ? Theme.indigo : Theme.ink2
            text: row.frame.namesInMargin ? row.speaker : row.speakerFull
            elide: Text.ElideRight
            horizontalAlignment: row.frame.namesInMargin ? Text.AlignRight : Text.AlignLeft
            width: row.frame.namesInMargin ? Theme.nameColumn - Theme.nameGap : row.frame.measure
            x: row.frame.textLeft - (row.frame.namesInMargin ? Theme.nameColumn : 0)
            y: row.frame.namesInMargin ? row.contentTop + (row.isUser ? Theme.s12 : 0) + Theme.bodyLabelDrop : row.topGap - Theme.s4
        }
    }
    Repeater {
        model: row.quoteDepth

        Rectangle {
            required property int index

            x: row.frame.textLeft + index * Theme.quoteIndent
            y: row.contentTop - (row.firstInTurn ? 0 : Theme.stroke)
            width: Theme.bar
            height: block.height + 2 * Theme.stroke
            color: Theme.edge
        }
    }
    UiText {
        visible: row.marker.length > 0
        x: block.x - width - Theme.s8
        y: row.contentTop
        role: Theme.body
        color: row.quoteDepth > 0 ? Theme.ink2 : Theme.ink
        text: row.marker
    }
    Loader {
        id: block

        x: row.frame.textLeft + row.indent
        y: row.contentTop
        width: row.frame.measure - row.indent
        sourceComponent: [leaf, reasoning, words, words, words, code, table, rule, footer][row.kind]
    }
    FocusEdges {
        anchors.fill: parent
        anchors.topMargin: row.firstInTurn ? row.topGap - Theme.s8 : 0
        anchors.leftMargin: Theme.s4
        anchors.rightMargin: Theme.s12
        visible: row.turnFocused
        first: row.firstInTurn
        last: row.lastInTurn
    }

    Component {
        id: leaf

        UserLeaf {
            row: row.index
            chat: row.chat
            text: row.text
            overhang: row.frame.overhang
        }
    }
    Component {
        id: words

        WordsBlock {
            row: row.index
            chat: row.chat
            text: row.text
            spans: row.spans
            quiet: row.quoteDepth > 0
            role: row.kind !== TranscriptModel.Heading ? Theme.body : row.level === 1 ? Theme.title : Theme.heading
            cut: row.cut
        }
    }
    Component {
        id: reasoning

        ReasoningBlock {
            row: row.index
            chat: row.chat
            text: row.text
            label: row.label
        }
    }
    Component {
        id: code

        CodeBlock {
            row: row.index
            chat: row.chat
            text: row.text
            language: row.language
            cut: row.cut
        }
    }
    Component {
        id: table

        TableBlock {
            row: row.index
            chat: row.chat
            text: row.text
            cells: row.cells
            columnCount: row.columns
            alignments: row.alignments
        }
    }
    Component {
        id: rule

        RuleBlock {
            row: row.index
            chat: row.chat
            text: row.text
        }
    }
    Component {
        id: footer

        TurnFooter {
            chat: row.chat
            turnId: row.turnId
            turnState: row.turnState
            stateText: row.stateText
            figures: row.figures
            canRetry: row.canRetry
            shown: row.lastTurn || row.turnHovered || row.turnFocused
        }
    }
}
