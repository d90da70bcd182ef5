// A block of code in its own box: language and Copy above, no wrapping, scrolled sideways in the box.
import QtQuick
import QtQuick.Templates as T
import Paluku

BlockBody {
    id: block

    property string language: ""
    property bool cut: false
    property string fold: ""
    property bool copied: false
    property bool stops: false

    implicitHeight: head.height + scroll.height + Theme.s12 + (more.visible ? more.height : 0)

    function positionAt(point: point): int {
        const inside = point.y >= scroll.y && point.y < scroll.y + Math.min(edit.height, scroll.height);
        return inside ? edit.positionAt(point.x - Theme.s16 + scroll.contentX, point.y - scroll.y) : -1;
    }

    Rectangle {
        anchors.fill: parent
        radius: Theme.radiusCode
        color: Theme.code
        border.width: Theme.hairline
        border.color: Theme.line
    }
    Item {
        id: head

        width: parent.width
        height: Theme.codeHeadHeight

        UiText {
            x: Theme.s16
            anchors.verticalCenter: parent.verticalCenter
            width: copy.x - x - Theme.s8
            elide: Text.ElideRight
            role: Theme.caption
            color: Theme.ink3
            text: block.language
        }
        Button {
            id: copy

            anchors.right: parent.right
            anchors.rightMargin: Theme.s4
            anchors.verticalCenter: parent.verticalCenter
            kind: Button.Plain
            focusPolicy: block.stops ? Qt.StrongFocus : Qt.ClickFocus
            iconName: block.copied ? "check" : "copy"
            inkColor: Theme.ink2
            text: block.copied ? qsTr("Copied") : qsTr("Copy")
            Accessible.description: block.language
            onClicked: {
                block.chat.copyRow(block.row);
                block.copied = true;
                copiedTimer.restart();
            }
        }
    }
    Flickable {
        id: scroll

        x: Theme.s16
        y: head.height
        width: block.width - 2 * Theme.s16
        height: (block.fold.length > 0 ? Theme.foldedLines * Theme.codeText.line : edit.height) + (bar.visible ? Theme.scrollBar : 0)
        contentWidth: Math.max(width, Math.ceil(edit.styler.naturalWidth))
        contentHeight: edit.height
        clip: true
        flickableDirection: Flickable.HorizontalFlick
        boundsBehavior: Flickable.StopAtBounds
        T.ScrollBar.horizontal: ScrollBar { id: bar }

        WordsEdit {
            id: edit

            // Always the same, so that a token lays out its own line and no other.
            width: Theme.lineRoom
            wrapMode: TextEdit.NoWrap
            horizontalAlignment: TextEdit.AlignLeft
            role: Theme.codeText
            words: block.text
            language: block.language
            selectedFrom: block.selectionStart
            selectedTo: block.selectionEnd
        }
    }
    Button {
        id: more

        x: Theme.s8
        y: scroll.y + scroll.height
        visible: block.cut || block.fold.length > 0
        kind: Button.Plain
        focusPolicy: block.stops ? Qt.StrongFocus : Qt.ClickFocus
        text: block.fold || qsTr("Show all")
        onClicked: block.chat.transcript.showAll(block.row)
    }
    Timer {
        id: copiedTimer

        interval: Theme.copiedFor
        onTriggered: block.copied = false
    }
}
